// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "base/result.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio {

// Tells that files changed, by inotify: a folder (its direct entries) or one file. Lives on its loop's thread.
class FileWatch {
 public:
  static Result<FileWatch> create(Loop& loop);
  FileWatch(FileWatch&&) noexcept = default;

  // Watches a folder's entries or one file, for as long as this lives. Why::not_found when there is none.
  Result<void> add(const std::string& path);
  // true at a change since the last call (several at once count as one), false when the deadline came first.
  Task<bool> changed(Deadline deadline);

 private:
  FileWatch(Loop& loop, Descriptor descriptor);
  Descriptor descriptor_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace nuclio
