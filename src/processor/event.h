// SPDX-License-Identifier: Apache-2.0
// What goes into a function and what comes out of it, whichever trigger and runtime are at the ends.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "http/message.h"
#include "loop/deadline.h"
#include "wire/encode.h"

namespace nuclio::processor {

// An event is what the wire carries: text as views into what the trigger holds (the connection's buffer, a record of a
// broker), valid until Processor::handle()'s Task is done. A worker in another process gets it without a copy in
// between. `call` and `time_left` are the worker's to fill in.
using Event = wire::Event;

// What a trigger wants of this one call, beside the event itself.
struct Call {
  Deadline deadline = Deadline::never();     // spec.eventTimeout, counted from the moment the event was accepted
  std::optional<log::Level> ship_logs = {};  // the handler's lines of this level and above come back in the response
};

// A line that the handler logged while it worked on the event.
struct LogLine {
  std::chrono::system_clock::time_point time;
  log::Level level;
  std::string message;
  std::string variables;  // a JSON object, checked, or ""
};

// How a handler failed, kept apart so that the trigger decides who sees what.
struct HandlerFailure {
  std::string message;
  std::string traceback;
};

struct Response {
  int status = 200;
  std::string content_type;  // "" for none
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // The body where the worker wrote it, instead of `body`, when it is large: it is to be sent, not to be believed.
  std::optional<http::LentBody> lent = {};
  // A body that is still being made; its first piece is in `body`. It holds on to the worker until it is done or
  // dropped. Its next() fails with Why::timeout when the call's deadline comes first.
  std::unique_ptr<http::BodySource> more = {};
  std::optional<HandlerFailure> failure = {};  // the handler raised; status and body are as it wished or 500 and ""
  std::string event_id = {};                   // which event of a batch this answers
  std::chrono::nanoseconds duration{0};        // the handler's own time
  std::vector<LogLine> logs = {};              // see Call::ship_logs
  std::chrono::nanoseconds waited{0};          // for the worker that made it
};

// One an event of a batch, in the events' order.
using Responses = std::vector<Result<Response>>;

}  // namespace nuclio::processor
