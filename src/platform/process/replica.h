// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "loop/child.h"
#include "loop/deadline.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/stream.h"
#include "loop/task.h"
#include "loop/wait_list.h"
#include "platform/platform.h"
#include "platform/process/log_reader.h"
#include "platform/process/replica_log.h"

namespace nuclio::platform::process {

// How a processor of one revision of a function is started.
struct Launch {
  std::vector<std::string> command;      // the processor and what it needs to know of its revision
  std::vector<std::string> environment;  // the whole of it
  std::string directory;                 // where it runs: the function's code
  std::string log_folder;                // exists
  std::string log_keeper;                // the program
  std::string function;                  // begins the replicas' names
  int listening_socket = -1;             // borrowed; -1 when it has no http trigger
};

// One processor, from its start to its end. Destroying it kills it with all that it started.
class Replica {
 public:
  static Result<std::unique_ptr<Replica>> start(Loop& loop, const Launch& launch);

  const ReplicaName& name() const { return name_; }
  const std::string& log_path() const { return log_->path(); }

  // Returns once it is ready. Why::unavailable when it said that it cannot become so, or ended: the error is what it
  // said and its last log lines; Why::timeout at the deadline.
  Task<Result<void>> ready(Deadline deadline);
  // Returns once it takes no new events, since it was told to stop or has ended, or at the deadline.
  Task<void> draining(Deadline deadline);
  // How it ended, its log complete; nothing when the deadline came first.
  Task<std::optional<ExitStatus>> exited(Deadline deadline = Deadline::never());
  bool running() const { return !exit_; }

  // Asks it to finish what it has and end; at the deadline it is killed.
  Task<void> stop(Deadline deadline);
  // Where it is reached for something, as it said when it became ready; "" when it did not.
  std::string address(std::string_view name) const;
  // Its last log lines, for a person.
  std::vector<std::string> last_words(std::size_t count) const { return last_lines(log_->path(), count); }

 private:
  Replica(Loop& loop, ReplicaName name, std::unique_ptr<ReplicaLog> log, Child child, Descriptor status);
  Task<void> listen();  // to what it says about itself
  Task<void> outlive();
  void understand(std::string_view line);

  ReplicaName name_;
  std::unique_ptr<ReplicaLog> log_;
  Child child_;  // after its log: killed before it
  Stream status_;
  enum class State { starting, ready, failed } state_ = State::starting;
  bool draining_ = false;
  std::string said_;                                           // with `failed`
  std::map<std::string, std::string, std::less<>> addresses_;  // with `ready`
  std::optional<ExitStatus> exit_;
  WaitList changed_;
  Group work_;
};

}  // namespace nuclio::platform::process
