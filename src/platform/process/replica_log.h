// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/child.h"
#include "loop/descriptor.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"

namespace nuclio::platform::process {

// A log file has at most this size, and so has what was moved aside before it.
inline constexpr Bytes kMaxLogFile{10u << 20};

// Where what a replica writes to standard output and error goes: into a pipe, from which a log keeper, a process of its
// own (src/log_keeper), writes it to files of bounded size. The keeper ends with the last of those who write, be that
// after us: what a function logs while it ends is kept also when we were killed. A keeper that is killed is started
// again. Nothing wakes while nothing is logged. Lives on its loop's thread.
class ReplicaLog {
 public:
  // A new file; its folder exists.
  static Result<std::unique_ptr<ReplicaLog>> create(Loop& loop, const std::string& keeper, const std::string& path,
                                                    Bytes limit = kMaxLogFile);

  int descriptor() const { return write_.get(); }  // for the replica, to write to
  const std::string& path() const { return path_; }
  // Adds a line of the platform's own; nothing when there is no room for it in the pipe before the deadline.
  Task<void> add(std::string message, Deadline deadline);
  // Once nobody writes any more: waits until all of it is in the file. The descriptor is closed.
  Task<void> complete(Deadline deadline);

 private:
  ReplicaLog(Loop& loop, std::string keeper, std::string path, Bytes limit, Descriptor read, Descriptor write);
  Result<void> start_keeper();
  Task<void> mind_keeper();

  Loop& loop_;
  std::string program_;
  std::string path_;
  Bytes limit_;
  Descriptor read_;  // for the next keeper; and so that no writer is killed by a signal in between
  Descriptor write_;
  std::optional<Child> keeper_;
  bool complete_ = false;
  WaitList completed_;
  Group work_;
};

}  // namespace nuclio::platform::process
