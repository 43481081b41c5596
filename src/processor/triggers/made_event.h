// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <vector>

#include "processor/event.h"
#include "processor/event_id.h"
#include "processor/processor.h"
#include "spec/triggers/event.h"

namespace nuclio::processor {

// An event that a trigger makes itself, as its `event` attribute says. Borrows from `config` and `source`.
class MadeEvent {
 public:
  MadeEvent(const spec::TriggerEvent& config, const Source& source, EventIds& ids,
            std::chrono::system_clock::time_point timestamp);
  MadeEvent(const MadeEvent&) = delete;
  MadeEvent& operator=(const MadeEvent&) = delete;

  const Event& event() const { return event_; }

 private:
  Event event_;
  EventIds::Text id_;
  std::vector<wire::Pair> headers_;
};

// Sends it and waits for its end. There is nobody to be told of a failure, so it goes to the log.
Task<void> send_made(EventHandler& handler, Source& source, const MadeEvent& event);

}  // namespace nuclio::processor
