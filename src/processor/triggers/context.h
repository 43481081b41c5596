// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "http/body_pool.h"
#include "http/server.h"
#include "loop/clock.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "processor/metrics.h"
#include "processor/processor.h"
#include "processor/triggers/http_answer.h"
#include "spec/platform_config.h"

namespace nuclio::processor {

// What a trigger is made with, beside its own spec. All but the listener is borrowed for the trigger's life.
struct TriggerContext {
  Loop& loop;
  Clock& clock;
  EventHandler& handler;
  Source& source;
  Metrics& metrics;  // knows the source
  const spec::ProcessorConfig& settings;
  std::chrono::milliseconds drain_pause;
  ExposeErrors expose_errors;
  Descriptor listener;                  // an inherited one, for http; without it the trigger's url is listened on
  http::BodyPool* body_pool = nullptr;  // for long bodies of HTTP requests, if there is one
  // The servers of the same http trigger on other loops. Those that stand by add themselves when they start, one after
  // the other, and before the one that listens.
  std::vector<http::Server*>* standing_by = nullptr;  // null when there is one loop
  bool stands_by = false;
};

}  // namespace nuclio::processor
