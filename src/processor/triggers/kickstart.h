// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "loop/clock.h"
#include "loop/group.h"
#include "processor/event_id.h"
#include "processor/processor.h"
#include "processor/trigger.h"
#include "spec/triggers/kickstart.h"

namespace nuclio::processor {

// Sends its event once, when it is started.
class KickstartTrigger final : public Trigger {
 public:
  // All is borrowed.
  KickstartTrigger(const spec::KickstartTrigger& config, Loop& loop, Clock& clock, EventHandler& handler,
                   Source& source)
      : config_(config), clock_(clock), handler_(handler), source_(source), run_(loop) {}

  const std::string& name() const override { return source_.name; }
  std::string_view kind() const override { return source_.kind; }
  Task<Result<void>> start() override;
  Task<void> stop_accepting(Deadline) override { co_return; }
  Task<void> drain(Deadline deadline) override;
  std::string address() const override { return {}; }

 private:
  Task<void> run();

  const spec::KickstartTrigger& config_;
  Clock& clock_;
  EventHandler& handler_;
  Source& source_;
  EventIds ids_;
  Group run_;
};

}  // namespace nuclio::processor
