// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/made_event.h"

#include "base/log.h"
#include "http/headers.h"

namespace nuclio::processor {

MadeEvent::MadeEvent(const spec::TriggerEvent& config, const Source& source, EventIds& ids,
                     std::chrono::system_clock::time_point timestamp)
    : id_(ids.next()) {
  event_.id = view(id_);
  event_.timestamp = timestamp;
  event_.method = config.method;
  event_.path = config.path;
  event_.url = config.path;
  event_.body = config.body;
  event_.trigger_kind = source.kind;
  event_.trigger_name = source.name;
  for (const auto& [name, value] : config.headers) {
    headers_.push_back({name, value});
    if (http::same_ignoring_case(name, "Content-Type")) event_.content_type = value;
  }
  event_.headers = headers_;
}

// What the handler raised is in the log already.
Task<void> send_made(EventHandler& handler, Source& source, const MadeEvent& event) {
  Call call{.deadline = handler.event_deadline()};
  auto response = co_await handler.handle(source, event.event(), call);
  if (!response)
    log::warn("An event was not handled",
              {{"trigger_kind", source.kind}, {"trigger", source.name}, {"reason", response.error().what}});
}

}  // namespace nuclio::processor
