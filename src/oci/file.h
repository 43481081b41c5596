// SPDX-License-Identifier: Apache-2.0
// Files that are read whole, and files that are there whole or not at all.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/descriptor.h"

namespace nuclio::oci {

// Why::not_found, Why::forbidden, or Why::too_large beyond `max`. Symbolic links are followed.
Result<std::string> read_whole_file(const std::string& path, Bytes max);

// A file that is written under another name in its folder and gets its own once it is complete; one that is destroyed
// before is removed.
class NewFile {
 public:
  // `path` is the name in the end; the folder exists.
  static Result<NewFile> create(std::string path);
  NewFile(NewFile&&) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  Result<void> write(std::string_view bytes);
  // Throws away all but the first `size` bytes; writing goes on behind them.
  Result<void> cut(Bytes size);
  // Gives it its name, in place of what had it before. With another name, that one is meant.
  Result<void> keep();
  Result<void> keep_as(std::string path);
  const std::string& path() const { return path_; }                 // in the end
  const std::string& temporary_path() const { return temporary_; }  // until then; "" afterwards

 private:
  NewFile(std::string path, std::string temporary, Descriptor descriptor)
      : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(std::move(descriptor)) {}
  std::string path_;
  std::string temporary_;
  Descriptor descriptor_;
};

}  // namespace nuclio::oci
