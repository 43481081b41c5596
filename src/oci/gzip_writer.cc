// SPDX-License-Identifier: Apache-2.0
#include "oci/gzip_writer.h"

#include <zlib.h>

#include <algorithm>
#include <climits>

#include "base/check.h"

namespace nuclio::oci {
namespace {

constexpr std::size_t kOut = 64 << 10;
constexpr int kWindowBits = 15 + 16;  // the largest window; 16 says gzip
constexpr int kMemory = 8;            // zlib's default

z_stream& of(void* stream) { return *static_cast<z_stream*>(stream); }

}  // namespace

void GzipWriter::Free::operator()(void* stream) const {
  deflateEnd(&of(stream));
  delete static_cast<z_stream*>(stream);
}

GzipWriter::GzipWriter(Sink sink, int level) : sink_(std::move(sink)), stream_(new z_stream{}), out_(kOut) {
  CHECK(deflateInit2(&of(stream_.get()), level, Z_DEFLATED, kWindowBits, kMemory, Z_DEFAULT_STRATEGY) == Z_OK);
}

Result<void> GzipWriter::run(int flush) {
  z_stream& stream = of(stream_.get());
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(out_.data());
    stream.avail_out = static_cast<uInt>(out_.size());
    const int done = deflate(&stream, flush);
    CHECK(done != Z_STREAM_ERROR);
    const std::size_t size = out_.size() - stream.avail_out;
    if (size > 0) TRY_DO(sink_({out_.data(), size}));
    if (flush == Z_FINISH ? done == Z_STREAM_END : stream.avail_out > 0) return {};
  }
}

Result<void> GzipWriter::write(std::string_view bytes) {
  z_stream& stream = of(stream_.get());
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(bytes.size(), UINT_MAX);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(size);
    TRY_DO(run(Z_NO_FLUSH));
    bytes.remove_prefix(size);
  }
  return {};
}

Result<void> GzipWriter::finish() { return run(Z_FINISH); }

}  // namespace nuclio::oci
