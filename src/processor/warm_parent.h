// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "loop/child.h"
#include "loop/deadline.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"
#include "processor/launch.h"
#include "processor/worker_identity.h"

namespace nuclio::processor {

// A process of a runtime that has imported what all workers need and forks them, which takes a few milliseconds where a
// start from nothing takes fifty; see runtimes/README.md. The workers are our children, not its own. It is started when
// it is first needed, and anew when it has died. Lives on its loop's thread.
class WarmParent {
 public:
  // `launch` starts it with its control socket as Launch::kSocket.
  WarmParent(Loop& loop, Launch launch);
  ~WarmParent();

  // Waits until it is ready to fork. False: it says that it cannot, ever. Why::invalid when the function's code, which
  // it may import, cannot be; with its own words.
  Task<Result<bool>> ready(Deadline deadline);

  // A new worker that has got these descriptors: its socket, and the four of its ring if it has one. The socket is
  // Why::unavailable when it does not come. For one that is ready().
  Task<Result<Child>> fork(const WorkerIdentity& worker, const WorkerLimits& limits, std::span<const int> descriptors,
                           Deadline deadline);

  // How many times it was started.
  int starts() const { return starts_; }

 private:
  struct Process;
  class Turn;

  Task<Turn> turn();
  Task<Result<bool>> ready_in_turn(Deadline deadline);
  Result<void> begin();
  Task<Result<std::string>> told(Deadline deadline);

  Loop& loop_;
  Launch launch_;
  std::unique_ptr<Process> process_;
  bool supported_ = true;
  int starts_ = 0;
  bool busy_ = false;  // somebody has the turn: one order at a time
  WaitList free_;
};

}  // namespace nuclio::processor
