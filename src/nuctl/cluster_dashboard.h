// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/child.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::nuctl {

// A dashboard of our own for the length of a command, which works on a cluster with its user's rights: nobody else can
// reach it, through a socket in a folder that is theirs alone, and it ends with us.
class ClusterDashboard {
 public:
  struct Options {
    std::string program;                   // the dashboard
    std::vector<std::string> arguments;    // beside those that say where to listen
    std::vector<std::string> environment;  // "NAME=value"
    bool verbose = false;                  // its log goes to our standard error
  };
  // The error is the dashboard's own.
  static Task<Result<std::unique_ptr<ClusterDashboard>>> start(Loop& loop, Options options, Deadline deadline);
  // Lets it take away what it has made. Destroying it kills it.
  Task<void> end(Deadline deadline);

  const std::string& socket() const { return socket_; }

 private:
  explicit ClusterDashboard(Child child) : child_(std::move(child)) {}
  std::string socket_;
  Child child_;
};

// What a program that was started with --ready-fd says: "ready ADDRESS", from which this gives the address, or why it
// cannot start. `name` is for messages, `log` where to look for more.
Task<Result<std::string>> wait_ready(Loop& loop, Descriptor read_end, std::string name, std::string log,
                                     Deadline deadline);

}  // namespace nuclio::nuctl
