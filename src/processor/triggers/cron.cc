// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/cron.h"

#include "base/log.h"
#include "processor/triggers/made_event.h"

namespace nuclio::processor {
namespace {

Result<spec::CronSchedule> schedule_of(const spec::CronTrigger& config) {
  if (config.interval.count() > 0) return spec::CronSchedule::every(config.interval);
  if (config.schedule.empty())
    return fail(Why::invalid,
                "a cron trigger needs attributes.schedule, such as \"*/5 * * * *\", or attributes.interval");
  return spec::CronSchedule::parse(config.schedule);
}

}  // namespace

Result<std::unique_ptr<Trigger>> CronTrigger::make(const spec::Trigger& trigger, const spec::CronTrigger& config,
                                                   Loop& loop, Clock& clock, EventHandler& handler, Source& source) {
  auto schedule = schedule_of(config);
  if (!schedule) return fail(std::move(schedule.error()).in("trigger " + source.name));
  return std::unique_ptr<Trigger>{new CronTrigger{trigger, config, *schedule, loop, clock, handler, source}};
}

CronTrigger::CronTrigger(const spec::Trigger& trigger, const spec::CronTrigger& config, spec::CronSchedule schedule,
                         Loop& loop, Clock& clock, EventHandler& handler, Source& source)
    : config_(config),
      most_runs_(static_cast<std::size_t>(trigger.num_workers)),
      schedule_(schedule),
      clock_(clock),
      handler_(handler),
      source_(source),
      ticking_(loop),
      runs_(loop) {}

Task<Result<void>> CronTrigger::start() {
  ticking_.spawn(tick());
  co_return Result<void>{};
}

Task<void> CronTrigger::tick() {
  SystemTime next = schedule_.next_after(clock_.now());
  for (;;) {
    co_await clock_.sleep_until(next);
    SystemTime now = clock_.now();
    if (runs_.size() < most_runs_) {
      runs_.spawn(run(now));
    } else {
      log::warn("A tick was skipped since the runs before it are not over",
                {{"trigger", source_.name}, {"runs", runs_.size()}});
    }
    // From the tick rather than from now, so that an interval does not drift, unless whole ticks were missed.
    next = schedule_.next_after(next);
    if (next <= now) next = schedule_.next_after(now);
  }
}

Task<void> CronTrigger::run(SystemTime now) {
  MadeEvent event{config_.event, source_, ids_, now};
  co_await send_made(handler_, source_, event);
}

Task<void> CronTrigger::stop_accepting(Deadline) {
  ticking_.cancel();
  co_return;
}

Task<void> CronTrigger::drain(Deadline deadline) {
  (void)co_await runs_.empty(deadline);
  runs_.cancel();
}

}  // namespace nuclio::processor
