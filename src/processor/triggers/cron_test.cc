// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/cron.h"

#include <gtest/gtest.h>

#include "loop/manual_clock.h"
#include "loop/run.h"
#include "processor/fake_handler.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

// 2024-05-06T07:08:09Z
constexpr SystemTime kStart{1'714'979'289s};

class CronTest : public testing::Test {
 protected:
  Trigger& start(spec::CronTrigger config, int workers = 1) {
    config_ = std::move(config);
    spec::Trigger trigger;
    trigger.num_workers = workers;
    trigger_ = CronTrigger::make(trigger, config_, loop_, clock_, handler_, source_.get()).value();
    EXPECT_TRUE(run_until_done(loop_, trigger_->start()));
    return *trigger_;
  }
  void move_to(SystemTime time) {
    clock_.move_to(time);
    run_until_done(loop_, settle());
  }
  Task<bool> settle() {
    for (int round = 0; round < 4; ++round) co_await loop_.yield();
    co_return true;
  }
  Task<bool> stopped() {
    co_await trigger_->stop_accepting(Deadline::never());
    co_return true;
  }
  Task<bool> drained(Deadline deadline) {
    co_await trigger_->stop_accepting(deadline);
    co_await trigger_->drain(deadline);
    co_return true;
  }

  Loop loop_;
  ManualClock clock_{loop_, kStart};
  FakeSource source_{loop_, "cron", "tick"};
  FakeHandler handler_{loop_};
  spec::CronTrigger config_;
  std::unique_ptr<Trigger> trigger_;
};

TEST_F(CronTest, SendsItsEventOnSchedule) {
  start({.schedule = "*/5 * * * *"});
  move_to(kStart + 1min);
  EXPECT_EQ(handler_.events.size(), 0u);
  move_to(kStart + 1min + 51s);  // 07:10:00
  EXPECT_EQ(handler_.events.size(), 1u);
  move_to(kStart + 6min + 50s);
  EXPECT_EQ(handler_.events.size(), 1u);
  move_to(kStart + 6min + 51s);  // 07:15:00
  EXPECT_EQ(handler_.events.size(), 2u);
}

TEST_F(CronTest, SendsItsEventEveryInterval) {
  start({.schedule = "0 0 1 1 *", .interval = 3s});
  for (int i = 1; i <= 30; ++i) move_to(kStart + i * 1s);
  EXPECT_EQ(handler_.events.size(), 10u);
}

TEST_F(CronTest, DoesNotDrift) {
  start({.interval = 10s});
  move_to(kStart + 14s);
  EXPECT_EQ(handler_.events.size(), 1u);
  move_to(kStart + 20s);
  EXPECT_EQ(handler_.events.size(), 2u);
}

TEST_F(CronTest, MakesUpNoMissedTicks) {
  start({.interval = 10s});
  move_to(kStart + 1h + 5s);
  EXPECT_EQ(handler_.events.size(), 1u);
  move_to(kStart + 1h + 14s);
  EXPECT_EQ(handler_.events.size(), 1u);
  move_to(kStart + 1h + 15s);
  EXPECT_EQ(handler_.events.size(), 2u);
}

TEST_F(CronTest, SendsTheEventThatItsAttributesDescribe) {
  start({.interval = 10s,
         .event = {
             .body = "hello", .path = "/p", .method = "PUT", .headers = {{"Content-Type", "text/x"}, {"X-A", "1"}}}});
  move_to(kStart + 10s);
  const SeenEvent& event = handler_.events.at(0);
  EXPECT_EQ(event.body, "hello");
  EXPECT_EQ(event.path, "/p");
  EXPECT_EQ(event.method, "PUT");
  EXPECT_EQ(event.content_type, "text/x");
  EXPECT_EQ(event.headers,
            (std::vector<std::pair<std::string, std::string>>{{"Content-Type", "text/x"}, {"X-A", "1"}}));
  EXPECT_EQ(event.timestamp, kStart + 10s);
  EXPECT_EQ(event.trigger_kind, "cron");
  EXPECT_EQ(event.trigger_name, "tick");
  EXPECT_EQ(event.id.size(), 36u);
}

TEST_F(CronTest, SkipsTicksWhenAsManyRunsGoOnAsThereAreWorkers) {
  handler_.close();
  start({.interval = 1s}, 2);
  for (int i = 1; i <= 5; ++i) move_to(kStart + i * 1s);
  EXPECT_EQ(handler_.events.size(), 2u);
  handler_.open();
  move_to(kStart + 5s);
  move_to(kStart + 6s);
  EXPECT_EQ(handler_.events.size(), 3u);
}

TEST_F(CronTest, GoesOnAfterAFailure) {
  handler_.answer = [](const Event&) -> Result<Response> { return fail(Why::unavailable, "the worker died"); };
  start({.interval = 1s});
  move_to(kStart + 1s);
  move_to(kStart + 2s);
  EXPECT_EQ(handler_.events.size(), 2u);
}

TEST_F(CronTest, TicksNoMoreOnceItStopsAccepting) {
  start({.interval = 1s});
  run_until_done(loop_, stopped());
  move_to(kStart + 10s);
  EXPECT_EQ(handler_.events.size(), 0u);
}

TEST_F(CronTest, FinishesItsRunsBeforeItIsDrained) {
  handler_.close();
  start({.interval = 1s});
  move_to(kStart + 1s);
  auto draining = drained(Deadline::never());
  draining.start();
  EXPECT_FALSE(draining.done());
  handler_.open();
  run_until_done(loop_, settle());
  EXPECT_TRUE(draining.done());
  EXPECT_EQ(handler_.given_up, 0);
}

TEST_F(CronTest, GivesUpItsRunsAtTheDeadline) {
  handler_.close();
  start({.interval = 1s});
  move_to(kStart + 1s);
  run_until_done(loop_, drained(Deadline::in(1ms)));
  EXPECT_EQ(handler_.given_up, 1);
}

TEST_F(CronTest, RefusesAScheduleThatIsNone) {
  spec::Trigger trigger;
  spec::CronTrigger nothing;
  auto without = CronTrigger::make(trigger, nothing, loop_, clock_, handler_, source_.get());
  EXPECT_EQ(without.error().what,
            "trigger tick: a cron trigger needs attributes.schedule, such as \"*/5 * * * *\", or attributes.interval");
  spec::CronTrigger wrong{.schedule = "61 * * * *"};
  auto bad = CronTrigger::make(trigger, wrong, loop_, clock_, handler_, source_.get());
  EXPECT_EQ(bad.error().why, Why::invalid);
}

}  // namespace
}  // namespace nuclio::processor
