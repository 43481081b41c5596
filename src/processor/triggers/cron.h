// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>

#include "loop/clock.h"
#include "loop/group.h"
#include "processor/event_id.h"
#include "processor/processor.h"
#include "processor/trigger.h"
#include "spec/cron_schedule.h"
#include "spec/trigger.h"

namespace nuclio::processor {

// Sends its event on schedule. Missed ticks are not made up: a processor that was down at noon waits for the next noon,
// since a burst of late events surprises more than a gap. A run does not delay the next tick; when as many runs are
// going on as the trigger has workers, a tick is skipped, and the log says so.
class CronTrigger final : public Trigger {
 public:
  // All but `config` is borrowed, and so are its texts. Why::invalid when its schedule is none.
  static Result<std::unique_ptr<Trigger>> make(const spec::Trigger& trigger, const spec::CronTrigger& config,
                                               Loop& loop, Clock& clock, EventHandler& handler, Source& source);

  const std::string& name() const override { return source_.name; }
  std::string_view kind() const override { return source_.kind; }
  Task<Result<void>> start() override;
  Task<void> stop_accepting(Deadline deadline) override;
  Task<void> drain(Deadline deadline) override;
  std::string address() const override { return {}; }

 private:
  CronTrigger(const spec::Trigger& trigger, const spec::CronTrigger& config, spec::CronSchedule schedule, Loop& loop,
              Clock& clock, EventHandler& handler, Source& source);
  Task<void> tick();
  Task<void> run(SystemTime now);

  const spec::CronTrigger& config_;
  std::size_t most_runs_;
  spec::CronSchedule schedule_;
  Clock& clock_;
  EventHandler& handler_;
  Source& source_;
  EventIds ids_;
  Group ticking_;
  Group runs_;
};

}  // namespace nuclio::processor
