// SPDX-License-Identifier: Apache-2.0
// What is still there of a platform that was killed.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "loop/deadline.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "platform/platform.h"
#include "platform/process/home.h"

namespace nuclio::platform::process {

// A process that an earlier platform of this home started and that goes on without it: a processor, which was told to
// finish what it has and end, or something that builds, which nobody needs any more. It is no child of ours. Lives on
// its loop's thread.
class Leftover {
 public:
  enum class Kind { processor, builder };

  Leftover(Loop& loop, Kind kind, FunctionId id, pid_t pid, Descriptor pidfd);

  Kind kind() const { return kind_; }
  const FunctionId& id() const { return id_; }
  pid_t pid() const { return pid_; }

  // Waits for its end; at the deadline it is killed with its group. It is gone when this returns.
  Task<void> ended(Deadline deadline);

 private:
  Kind kind_;
  FunctionId id_;
  pid_t pid_;
  Descriptor pidfd_;
  std::unique_ptr<Watch> watch_;  // after what it watches
};

// Those of this home. A processor is known by its arguments, something that builds by kBuildVariable.
std::vector<std::unique_ptr<Leftover>> find_leftovers(Loop& loop, const Home& home, const std::string& processor);

// Set for all that builds a revision, to the revision's folder.
inline constexpr std::string_view kBuildVariable = "NUCLIO_BUILD_FOLDER";

}  // namespace nuclio::platform::process
