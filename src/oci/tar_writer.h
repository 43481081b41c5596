// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "oci/names.h"
#include "oci/sink.h"

namespace nuclio::oci {

// What a tar says of a file, folder or link. Owners are numbers, without names.
struct TarEntry {
  enum class Kind { file, folder, link, hard_link } kind = Kind::file;
  std::string name;  // relative, without "/" at either end
  int mode = 0644;
  ImageTime modified = kEpoch;
  Bytes size = {};          // of a file
  std::string target = {};  // of a link; of a hard one the name of an entry before it
  std::uint32_t owner = 0;
  std::uint32_t group = 0;
};

// Writes a tar whose bytes follow from its entries alone: ustar, with a pax header where a name is longer than 100
// bytes or not ASCII, or a number too large. Holds no more than a block.
class TarWriter {
 public:
  explicit TarWriter(Sink sink) : sink_(std::move(sink)) {}

  // Errors of all are the sink's; a file that gets fewer or more bytes than it was said to have is a mistake of ours.
  Result<void> begin(const TarEntry& entry);
  Result<void> data(std::string_view bytes);  // of the file that was begun last
  Result<void> finish();                      // the two empty blocks

 private:
  Result<void> header(std::string_view name, char type, const TarEntry& entry, std::uint64_t size);
  Result<void> pad();

  Sink sink_;
  std::uint64_t left_ = 0;  // of the file
  std::uint64_t size_ = 0;  // of the file, whose end is still to be padded
};

}  // namespace nuclio::oci
