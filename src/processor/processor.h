// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/task.h"
#include "processor/event_handler.h"
#include "processor/pool_statistics.h"
#include "processor/worker_pool.h"

namespace nuclio::processor {

class Metrics;

// What a trigger is to the processor: where its events' workers come from and where they are counted. Owned by the
// assembly (assembly.h); outlives its trigger.
struct Source {
  std::string kind;                        // as reported: "http", "cron", …
  std::string name;                        // the trigger's name in the spec
  WorkerPool& pool;                        // its own, or shared by workerAllocatorName
  std::chrono::milliseconds availability;  // how long an event may wait for a worker; 0: not at all
  PoolStatistics allocations = {};         // of this trigger's events alone
};

// Stands between the triggers and the workers of one function.
class Processor final : public EventHandler {
 public:
  // An event timeout of 0 is none.
  Processor(Loop& loop, Metrics& metrics, std::chrono::nanoseconds event_timeout)
      : loop_(loop), metrics_(metrics), event_timeout_(event_timeout) {}

  Task<Result<Response>> handle(Source& source, const Event& event, Call call) override;
  Task<Result<Responses>> handle_batch(Source& source, std::span<const Event> events, Call call) override;
  Deadline event_deadline() const override;

 private:
  Loop& loop_;
  Metrics& metrics_;
  std::chrono::nanoseconds event_timeout_;
};

}  // namespace nuclio::processor
