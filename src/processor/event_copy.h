// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <vector>

#include "processor/event.h"

namespace nuclio::processor {

// An event that owns its text, for when what it was borrowed from may go.
class EventCopy {
 public:
  explicit EventCopy(const Event& event);
  const Event& event() const { return event_; }

 private:
  std::unique_ptr<char[]> texts_;
  std::vector<wire::Pair> pairs_;
  Event event_;
};

}  // namespace nuclio::processor
