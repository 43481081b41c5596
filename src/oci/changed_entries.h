// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/changes.h"
#include "oci/sink.h"
#include "oci/tar_writer.h"

namespace nuclio::oci {

// The names in a folder, sorted.
Result<std::vector<std::string>> sorted_names(const std::string& folder);

// Writes what was changed in a folder as entries of a layer's tar, whoever found out what that is. The loop is
// borrowed.
class ChangedEntries {
 public:
  enum class Owners { as_found, root };
  ChangedEntries(Loop& loop, Sink tar, ChangesOptions options, Owners owners)
      : loop_(loop), tar_(std::move(tar)), options_(std::move(options)), owners_(owners) {}

  // The file, link or folder at `path` as `name`, `depth` folders deep; of a folder not what is in it. What has no
  // place in a layer is left out.
  Task<Result<void>> put(std::string name, std::string path, struct stat status, std::size_t depth);
  // `name` was deleted.
  Result<void> put_whiteout(std::string name);
  // Of the folder `name`, put before, nothing is left that the layers below have.
  Result<void> put_opaque(const std::string& name);
  Result<void> finish() { return tar_.finish(); }

 private:
  Result<void> count();
  Result<void> put_link(TarEntry entry, const std::string& path);

  Loop& loop_;
  TarWriter tar_;
  ChangesOptions options_;
  Owners owners_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;
  std::uint64_t total_ = 0;
  std::size_t entries_ = 0;
};

}  // namespace nuclio::oci
