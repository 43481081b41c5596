// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/server.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "loop/loop_thread.h"
#include "loop/task.h"
#include "processor/configuration.h"
#include "processor/health.h"
#include "processor/lane.h"
#include "processor/memory.h"
#include "processor/web_admin.h"

namespace nuclio::processor {

// Where the processor can be reached, by what for: "http", "health", "webAdmin", "metrics".
using Addresses = std::vector<std::pair<std::string, std::string>>;

// All parts of a processor and the order of their lives: its lanes, of which the first lives on the given loop and each
// other on a thread of its own, and the ports beside the function's. Made in main; lives on its loop's thread.
class Assembly {
 public:
  // `listener` is an inherited listening socket for the http trigger, or none. The configuration is borrowed.
  Assembly(Loop& loop, const Configuration& configuration, Descriptor listener);
  ~Assembly();

  // Returns when the function takes events. An error, with which the function cannot run, says what is to be mended.
  // Once, whole or cancelled.
  Task<Result<Addresses>> start();
  // The first step of an end that loses no event: no longer ready; returns once no trigger takes new events.
  Task<void> stop_accepting(Deadline deadline);
  // The second: events in flight finish, the function's callbacks run. At the deadline what is left is dropped.
  Task<void> drain(Deadline deadline);
  // After drain(): a thread did not end, since the function's code does not return. The process must then leave without
  // tearing down what that may use.
  bool lost_a_thread() const { return lost_a_thread_; }

 private:
  struct Port;   // an address with its handler and server
  struct Other;  // a lane that has a thread of its own

  Result<void> open_ports();
  Result<void> open_port(std::string name, const std::string& address, http::Handler& handler);
  Task<Result<void>> start_lanes();
  Task<Result<void>> start_triggers();
  Result<void> answer_probes();
  template <class Do>
  Task<void> in_all_lanes(Do what, Deadline deadline);
  Task<Lane::Report> report();
  Task<TriggerReports> trigger_reports();
  // A pool none of whose workers runs. One that still has some goes on serving, so it is none.
  Task<std::optional<std::string>> obstacle();
  Task<void> end_threads();

  Loop& loop_;
  const Configuration& configuration_;
  Descriptor listener_;
  Health health_;
  WebAdmin web_admin_;
  MemoryMeter memory_;
  http::Router metrics_routes_;
  http::Router probe_routes_;
  SharedByLanes shared_;
  std::vector<std::unique_ptr<Other>> others_;
  Lane lane_;
  std::vector<std::unique_ptr<Port>> ports_;
  bool lost_a_thread_ = false;
};

}  // namespace nuclio::processor
