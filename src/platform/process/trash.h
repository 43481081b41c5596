// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

#include "loop/group.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::platform::process {

// Removes folders of any size without holding up the loop: what it takes is out of its place at once, and gone a little
// later. What a crash leaves in it is removed at the next start. Lives on its loop's thread.
class Trash {
 public:
  // The folder is made when it is first needed; on the same file system as what is taken.
  Trash(Loop& loop, std::string folder);

  // A file or folder; fine when there is none. Failing is logged: nothing depends on it.
  void take(const std::string& path);

 private:
  Task<void> remove(std::string path);

  Loop& loop_;
  std::string folder_;
  std::uint64_t taken_ = 0;
  Group work_;
};

}  // namespace nuclio::platform::process
