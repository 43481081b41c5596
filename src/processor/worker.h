// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/named.h"
#include "base/result.h"
#include "loop/deadline.h"
#include "loop/task.h"
#include "processor/event.h"

namespace nuclio::processor {

using WorkerIndex = Named<struct WorkerIndexTag, int>;  // from 0, within its pool

// One handler process (or one slot of a handler that runs in this process): it works on one event at a time. Lives on
// its loop's thread, owned by its pool.
class Worker {
 public:
  virtual ~Worker() = default;

  // For a usable() worker. Why::timeout when the deadline came first, Why::unavailable when the worker ended instead of
  // answering: in both cases the worker is of no further use and its pool replaces it. A handler that raised is no
  // error but a Response with `failure`. When the response has `more`, the worker is busy until that is destroyed.
  // Destroying the Task, or `more` before its end, gives the call up: see settle().
  virtual Task<Result<Response>> call(const Event& event, const Call& call) = 0;
  // The events of a batch at once; one response an event, in the order of the events, matched by event id.
  virtual Task<Result<std::vector<Result<Response>>>> call_batch(std::span<const Event> events, const Call& call) = 0;

  // Whether it may be given an event now.
  virtual bool usable() const = 0;
  // Waits until it has let go of a call that was given up. One that does not by the deadline, or is of no further use,
  // is ended, so that afterwards it is usable() or stays unusable for good.
  virtual Task<void> settle(Deadline deadline) = 0;
  // Called once, when it ends by itself, busy or not; it may not destroy the worker.
  virtual void when_ended(std::function<void()> callback) = 0;
  virtual WorkerIndex index() const = 0;

  // Runs the function's drain or termination callback and waits for it, until the deadline. For a worker without a
  // call; after terminate() it is of no further use.
  virtual Task<void> drain(Deadline deadline) = 0;
  virtual Task<void> terminate(Deadline deadline) = 0;
};

// Whose events a worker gets: what the function sees as trigger_kind and trigger_name of its context.
struct WorkerIdentity {
  WorkerIndex index{0};
  std::string trigger_kind;
  std::string trigger_name;
};

// Makes workers of one runtime. Borrowed by the pools; outlives them.
class WorkerFactory {
 public:
  virtual ~WorkerFactory() = default;
  // Returns once the worker is ready for events, i.e. the module is loaded and init_context has run. The error says
  // what the function's author has to mend.
  virtual Task<Result<std::unique_ptr<Worker>>> start(WorkerIdentity identity) = 0;
};

}  // namespace nuclio::processor
