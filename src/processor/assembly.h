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
#include "loop/clock.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "processor/configuration.h"
#include "processor/function_log.h"
#include "processor/health.h"
#include "processor/metrics.h"
#include "processor/processor.h"
#include "processor/trigger.h"
#include "processor/web_admin.h"
#include "processor/worker.h"
#include "processor/worker_pool.h"
#include "wire/event_arena.h"

namespace nuclio::processor {

// Where the processor can be reached, by what for: "http", "health", "webAdmin", "metrics".
using Addresses = std::vector<std::pair<std::string, std::string>>;

// All parts of a processor and the order of their lives. Made in main; lives on its loop's thread.
class Assembly {
 public:
  // `listener` is an inherited listening socket for the http trigger, or none. The configuration is borrowed.
  Assembly(Loop& loop, const Configuration& configuration, Descriptor listener);
  ~Assembly();

  // Returns when the function takes events. An error, with which the function cannot run, says what is to be mended.
  // Once, whole or cancelled.
  Task<Result<Addresses>> start();
  // Ends without losing an event that has begun: no longer ready, no new events, those in flight finish, the function's
  // callbacks run. At the deadline what is left is dropped.
  Task<void> drain(Deadline deadline);

 private:
  struct Port;  // an address with its handler and server

  Result<void> make_event_arena();
  Result<void> open_ports();
  Result<void> open_port(std::string name, const std::string& address, http::Handler& handler);
  Task<Result<void>> start_pools();
  Task<Result<void>> start_triggers();
  Result<void> answer_probes();
  // A pool none of whose workers runs. One that still has some goes on serving, so it is none.
  std::optional<std::string> obstacle() const;

  Loop& loop_;
  const Configuration& configuration_;
  Descriptor listener_;
  SystemClock clock_;
  FunctionLog function_log_;
  Health health_;
  Metrics metrics_;
  WebAdmin web_admin_;
  http::Router metrics_routes_;
  http::Router probe_routes_;
  Processor processor_;
  std::unique_ptr<wire::EventArena> event_arena_;  // before all who use it; null when workers are reached over sockets
  std::unique_ptr<WorkerFactory> factory_;
  std::map<std::string, std::unique_ptr<WorkerPool>> pools_;  // by allocator, or by trigger when it has its own
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<std::unique_ptr<Trigger>> triggers_;
  std::vector<std::unique_ptr<Port>> ports_;
};

}  // namespace nuclio::processor
