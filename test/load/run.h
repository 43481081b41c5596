// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "load/report.h"

namespace nuclio::load {

// What is to be sent. At least one of `time` and `requests` ends the run.
struct Plan {
  sockaddr_in server{};
  std::string request;     // its bytes, head and body
  bool head_only = false;  // it is a HEAD request
  unsigned connections = 1;
  bool keep_alive = true;  // else each request has a connection of its own
  bool reconnect = false;  // a kept connection that the server closed is opened again; else it is done with
  double rate = 0;         // requests a second, due at fixed times whatever the answers do; 0: each connection sends
                           // its next request when it has the answer to the last
  std::chrono::nanoseconds time{0};     // during which requests are due; 0: no bound
  std::uint64_t requests = 0;           // 0: no bound
  std::chrono::nanoseconds timeout{0};  // of one request, its connect included
};

// Runs the plan on this thread and returns when every request that was sent has ended, at the latest `timeout` after
// the last was due. Kept connections are made before the clock starts. `stop` becoming true, with a signal that
// interrupts the wait, ends the sending early. Why::unavailable when the kernel refuses the means.
Result<Report> run(const Plan& plan, const std::atomic<bool>& stop);

}  // namespace nuclio::load
