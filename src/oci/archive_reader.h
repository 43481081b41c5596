// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "oci/names.h"

struct archive;

namespace nuclio::oci {

// One thing in a tar, as it says of itself: none of it is checked.
struct ArchiveEntry {
  enum class Kind { file, folder, symbolic_link, hard_link, other } kind = Kind::other;
  std::string name;
  std::string target;  // of a link
  int mode = 0;        // with the set-user-id bits
  ImageTime modified = kEpoch;
  std::int64_t owner = 0;
  std::int64_t group = 0;
  Bytes size;
};

// Reads a tar, plain or compressed with gzip or zstd, entry by entry, by way of libarchive. Blocks while it reads. One
// thread at a time.
class ArchiveReader {
 public:
  static Result<ArchiveReader> open(const std::string& path);
  // The same of a file that is open, from its beginning; it is borrowed as long as the reader lives. `path` is for
  // messages.
  static Result<ArchiveReader> open(int file, const std::string& path);
  // Also a zip, and a tar that is compressed with bzip2, xz or lz4.
  static Result<ArchiveReader> open_common(const std::string& path);
  // Only undoes the compression: the one entry is the tar.
  static Result<ArchiveReader> open_uncompressed(const std::string& path);

  // The next entry, nothing at the end. Why::invalid when the file is no such archive, is damaged or ends too
  // early.
  Result<std::optional<ArchiveEntry>> next();
  // The next piece of the current file, "" at its end. Valid until the next call.
  Result<std::string_view> read();
  // Bytes of the archive, compressed as it is, that were used so far.
  std::uint64_t consumed() const;

 private:
  struct Free {
    void operator()(archive* reader) const;
  };
  enum class Form { tar, common, any_bytes };
  static Result<ArchiveReader> open_as(Form form, const std::string& path, int file = -1);
  ArchiveReader(std::string path, Form form, archive* reader);
  std::unexpected<Error> broken() const;

  std::string path_;
  Form form_;
  std::unique_ptr<archive, Free> reader_;
  std::vector<char> piece_;
};

}  // namespace nuclio::oci
