// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/changes.h"
#include "oci/sink.h"

namespace nuclio::oci {

// What was in a root file system at some time, by which is found out later what has changed: for where there is no
// overlay to tell. Two files count as the same when their inodes and the times of these are: nothing is read.
class Snapshot {
 public:
  // Nobody changes the folder meanwhile, and what is changed from then on is noticed: it takes a tick of the kernel's
  // clock. `left_alone` are names within, of which the snapshot knows nothing and neither do changes, nor of what is in
  // them.
  static Result<Snapshot> take(std::string root, std::vector<std::string> left_alone);
  Snapshot(Snapshot&&) noexcept;
  Snapshot& operator=(Snapshot&&) = delete;
  ~Snapshot();

  // Writes what is different now as the tar of a layer, as write_changes() does, with whiteouts for what is gone.
  // Everything in it is root's, whoever has it here, since that is one user who is nobody in the image. Nobody changes
  // the folder any more; what its owner, this process, may not read is made readable on the way.
  Task<Result<void>> write_changes(Loop& loop, Sink tar, ChangesOptions options) const;

 private:
  class Writer;
  struct Known;
  explicit Snapshot(std::unique_ptr<Known> known);
  std::unique_ptr<Known> known_;
};

}  // namespace nuclio::oci
