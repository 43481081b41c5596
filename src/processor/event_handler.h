// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <vector>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/task.h"
#include "processor/event.h"

namespace nuclio::processor {

struct Source;

// Where a trigger's events go: the Processor, or what a test puts in its place. Lives on the triggers' loop and
// outlives them.
class EventHandler {
 public:
  virtual ~EventHandler() = default;

  // The whole life of an event: Why::busy when no worker came free in time (or the queue is full), Why::timeout when
  // the handler took longer than the event's deadline, Why::unavailable when its worker died. A handler that raised is
  // no error but a Response with `failure`. The event is borrowed until the Task is done.
  virtual Task<Result<Response>> handle(Source& source, const Event& event, Call call) = 0;
  // The same for the events of a batch, on one worker; one result an event, in their order.
  virtual Task<Result<Responses>> handle_batch(Source& source, std::span<const Event> events, Call call) = 0;

  // spec.eventTimeout as a deadline of an event accepted now; never() without one.
  virtual Deadline event_deadline() const = 0;
};

}  // namespace nuclio::processor
