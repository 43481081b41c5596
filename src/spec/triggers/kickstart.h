// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "schema/schema.h"
#include "spec/triggers/event.h"

namespace nuclio::spec {

// Sends one event when the processor starts.
struct KickstartTrigger {
  static constexpr std::string_view kKind = "kickstart";
  TriggerEvent event;

  template <class K = KickstartTrigger>
  static constexpr auto fields() {
    return std::tuple{field("event", &K::event, {.doc = "The event to send."})};
  }
};

}  // namespace nuclio::spec
