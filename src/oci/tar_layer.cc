// SPDX-License-Identifier: Apache-2.0
#include "oci/tar_layer.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "oci/archive_reader.h"

namespace nuclio::oci {
namespace {

constexpr std::size_t kEntriesBetweenYields = 200;

// Whoever unpacks the layer would refuse it then, and this is where the one stands who can change it.
Task<Result<void>> check_entries(Loop& loop, const std::string& tar) {
  CO_TRY(ArchiveReader reader, ArchiveReader::open(tar));
  for (std::size_t seen = 1;; ++seen) {
    CO_TRY(const std::optional<ArchiveEntry> entry, reader.next());
    if (!entry) co_return Result<void>{};
    if (entry->kind == ArchiveEntry::Kind::other)
      co_return fail(Why::invalid, tar + ": a layer must have files, folders and links only, and " + entry->name +
                                       " is none of these");
    if (seen % kEntriesBetweenYields == 0) co_await loop.yield();
  }
}

}  // namespace

Task<Result<Layer>> write_tar_layer(Loop& loop, const Layout& layout, std::string tar, Bytes most) {
  CO_TRY_DO(co_await check_entries(loop, tar));
  CO_TRY(ArchiveReader reader, ArchiveReader::open_uncompressed(tar));
  CO_TRY(LayerWriter layer, LayerWriter::create(layout));
  for (std::uint64_t read = 0;;) {
    CO_TRY(const std::string_view piece, reader.read());
    if (piece.empty()) break;
    read += piece.size();
    if (read > most.count)
      co_return fail(Why::too_large, tar + " must have at most " + std::to_string(most.count) + " bytes uncompressed");
    CO_TRY_DO(layer.write(piece));
    co_await loop.yield();
  }
  co_return layer.finish();
}

}  // namespace nuclio::oci
