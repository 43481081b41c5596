// SPDX-License-Identifier: Apache-2.0
#include "processor/worker_pool.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "loop/run.h"
#include "processor/fake_workers.h"
#include "processor/test_owner.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

class WorkerPoolTest : public testing::Test {
 protected:
  WorkerPoolTest() { log::configure({.level = log::Level::error, .descriptor = -1}); }
  ~WorkerPoolTest() override { log::configure({}); }

  WorkerPool& make(int workers, std::size_t queue_limit = 10) {
    PoolOptions options{.trigger_kind = "http", .trigger_name = "web", .workers = workers, .queue_limit = queue_limit};
    pool.emplace(loop, factory, std::move(options));
    return *pool;
  }
  // Its workers keep what they get until the test answers it.
  void make_started(int workers, std::size_t queue_limit = 10) {
    make(workers, queue_limit);
    ASSERT_TRUE(run_until_done(loop, pool->start()));
    for (int i = 0; i < workers; ++i) factory.worker(i).hold = true;
  }

  // An event on its way through the pool, as a trigger's coroutine has it.
  struct Asked {
    Asked(WorkerPoolTest& test, Call wanted, Deadline availability)
        : call(wanted), job(test.loop, event, call, availability), group(test.loop) {
      group.spawn(run(test));
    }
    Task<void> run(WorkerPoolTest& test) { co_await test.pool->run(job, test.statistics); }
    Result<Response>& answer() { return job.response(); }

    Event event;
    Call call;
    Job job;
    Group group;  // last: what runs here uses the rest
  };
  Asked& ask(Deadline availability = Deadline::never(), Call call = {}) {
    return *asked.emplace_back(std::make_unique<Asked>(*this, call, availability));
  }
  void until_answered(Asked& one) {
    run_until_done(loop, until(loop, [&] { return one.job.answered(); }));
  }
  // Lets everything that is ready run.
  void settle_down() { run_until_done(loop, rounds()); }
  Task<bool> rounds() {
    for (int i = 0; i < 10; ++i) co_await loop.yield();
    co_return true;
  }
  // Gives worker 1 its second event a moment after another had one: how long it is left there.
  Task<std::chrono::nanoseconds> time_behind_second_worker() {
    co_await loop.sleep(1ms);
    auto given = std::chrono::steady_clock::now();
    (void)ask();
    CHECK(worker(1).held.size() == 2);
    while (worker(1).held.size() == 2) co_await loop.sleep(50us);
    co_return std::chrono::steady_clock::now() - given;
  }
  void until_restarted(std::uint64_t count) {
    run_until_done(loop, until(loop, [&] { return pool->restarts() == count && pool->alive() == pool->size(); }));
  }
  FakeWorker& worker(int index) { return factory.worker(index); }

  Loop loop;
  FakeFactory factory{loop};
  PoolStatistics statistics;
  std::optional<WorkerPool> pool;
  std::vector<std::unique_ptr<Asked>> asked;
};

TEST_F(WorkerPoolTest, StartsAllWorkersAtTheSameTime) {
  make(3);
  factory.hold = true;
  Group group{loop};
  std::optional<Result<void>> result;
  group.spawn(detail::keep(pool->start(), result));
  EXPECT_EQ(factory.started, 3);
  EXPECT_FALSE(result);
  factory.release();
  settle_down();
  ASSERT_TRUE(result);
  EXPECT_TRUE(*result);
  EXPECT_EQ(pool->idle(), 3u);
  EXPECT_EQ(factory.identities[2].index.value(), 2);
  EXPECT_EQ(factory.identities[2].trigger_kind, "http");
  EXPECT_EQ(factory.identities[2].trigger_name, "web");
}

TEST_F(WorkerPoolTest, FailsWithTheFirstWorkersErrorWhenOneDoesNotStart) {
  make(3);
  factory.failures = {"", "main.py line 3: no module named \"nump\""};
  auto started = run_until_done(loop, pool->start());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().what, "main.py line 3: no module named \"nump\"");
}

TEST_F(WorkerPoolTest, GivesAnEventToAnIdleWorkerAtOnce) {
  make_started(2);
  Asked& one = ask(Deadline::in(0s));
  EXPECT_EQ(pool->idle(), 1u);
  EXPECT_EQ(one.job.worker()->value(), 1);
  worker(1).answer_first();
  EXPECT_EQ(pool->idle(), 2u);
  settle_down();
  EXPECT_EQ(one.group.size(), 0u);
  EXPECT_EQ(statistics.immediate, 1u);
  EXPECT_EQ(statistics.available_percent, 100.0);
}

TEST_F(WorkerPoolTest, GoesOnAtOnceWithAnAnswerThatIsThereAtOnce) {
  make_started(1);
  worker(0).hold = false;
  Asked& one = ask();
  EXPECT_EQ(one.group.size(), 0u);
  EXPECT_TRUE(one.job.answered());
  EXPECT_EQ(pool->idle(), 1u);
}

TEST_F(WorkerPoolTest, PrefersTheWorkerThatWasBusyLast) {
  make_started(3);
  (void)ask();
  (void)ask();
  worker(1).answer_first();
  worker(2).answer_first();
  EXPECT_EQ(ask().job.worker()->value(), 2);
}

TEST_F(WorkerPoolTest, NeverWaitsWithoutTime) {
  make_started(1);
  (void)ask();
  auto& refused = ask(Deadline::in(0s)).answer();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Why::busy);
  EXPECT_EQ(statistics.timed_out, 1u);
  EXPECT_EQ(statistics.wait.count(), 0);
}

TEST_F(WorkerPoolTest, GivesUpAtTheDeadline) {
  make_started(1);
  (void)ask();
  Asked& waiting = ask(Deadline::in(5ms));
  EXPECT_EQ(pool->waiting(), 1u);
  until_answered(waiting);
  settle_down();
  auto& refused = waiting.answer();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Why::busy);
  EXPECT_EQ(refused.error().what,
            "none of the 1 workers came free in time; raise numWorkers or workerAvailabilityTimeoutMilliseconds of "
            "the trigger");
  EXPECT_EQ(pool->waiting(), 0u);
  EXPECT_EQ(statistics.timed_out, 1u);
  EXPECT_GE(statistics.wait, 4ms);
}

TEST_F(WorkerPoolTest, SaysThatTheEventsOwnTimeIsOver) {
  make_started(1);
  (void)ask();
  Asked& waiting = ask(Deadline::never(), {.deadline = Deadline::in(2ms)});
  until_answered(waiting);
  EXPECT_EQ(waiting.answer().error().why, Why::timeout);
}

TEST_F(WorkerPoolTest, ServesThoseWhoWaitInTheirOrder) {
  make_started(1);
  for (int i = 0; i < 4; ++i) (void)ask();
  EXPECT_EQ(pool->waiting(), 3u);
  for (auto& one : asked) {
    EXPECT_EQ(worker(0).held, std::vector{&one->job});
    worker(0).answer_first();
  }
  settle_down();
  EXPECT_EQ(statistics.after_wait, 3u);
  EXPECT_EQ(pool->idle(), 1u);
}

TEST_F(WorkerPoolTest, RefusesAtOnceWhenTheLineIsFull) {
  make_started(1, 1);
  (void)ask();
  (void)ask();
  auto& refused = ask().answer();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Why::busy);
  EXPECT_EQ(refused.error().what,
            "all 1 workers are busy and 1 events wait for them already; send less, or raise numWorkers of the trigger");
}

TEST_F(WorkerPoolTest, ForgetsOneThatIsCancelledWhileItWaits) {
  make_started(1);
  (void)ask();
  (void)ask();
  asked.pop_back();
  EXPECT_EQ(pool->waiting(), 0u);
  worker(0).answer_first();
  EXPECT_EQ(pool->idle(), 1u);
}

TEST_F(WorkerPoolTest, TellsTheWorkerOfOneThatIsCancelledWhileItIsWorkedOn) {
  make_started(1);
  (void)ask();
  asked.pop_back();
  EXPECT_EQ(worker(0).given_up, std::vector{GiveUp::unwanted});
  Asked& next = ask();
  EXPECT_EQ(pool->waiting(), 1u);
  worker(0).settled();
  EXPECT_EQ(worker(0).held, std::vector{&next.job});
  EXPECT_EQ(factory.started, 1) << "a worker that lets go in time is kept";
}

TEST_F(WorkerPoolTest, AnswersForAWorkerThatIsLate) {
  make_started(2);
  Asked& slow = ask(Deadline::never(), {.deadline = Deadline::in(2ms)});
  slow.event.id = "7";
  Asked& innocent = ask();
  until_answered(slow);
  auto& late = slow.answer();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().why, Why::timeout);
  EXPECT_EQ(late.error().what, "event 7 took longer than its eventTimeout");
  EXPECT_EQ(worker(1).given_up, std::vector{GiveUp::late});
  EXPECT_FALSE(innocent.job.answered());
}

TEST_F(WorkerPoolTest, ReplacesAWorkerThatDiesAtWork) {
  make_started(2);
  Asked& one = ask();
  worker(1).die();
  EXPECT_EQ(one.answer().error().why, Why::unavailable);
  EXPECT_EQ(pool->alive(), 1u);
  until_restarted(1);
  EXPECT_EQ(pool->idle(), 2u);
  EXPECT_EQ(factory.started, 3);
  EXPECT_EQ(factory.alive, 2);
}

TEST_F(WorkerPoolTest, NeverGivesAnEventToAWorkerThatDiedWhileItWasIdle) {
  make_started(2);
  worker(1).die();  // the one that would be next
  EXPECT_EQ(ask().job.worker()->value(), 0);
}

TEST_F(WorkerPoolTest, ReplacesAWorkerThatDiedWhileItWasIdleAtOnceTheFirstTime) {
  make_started(1);
  worker(0).die();
  settle_down();
  EXPECT_EQ(pool->restarts(), 1u);
  EXPECT_EQ(factory.alive, 1);
  EXPECT_TRUE(ask(Deadline::in(0s)).job.answered());
  for (int deaths = 2; deaths < 4; ++deaths) {
    worker(0).die();
    until_restarted(deaths);
  }
  worker(0).die();
  settle_down();
  EXPECT_EQ(pool->alive(), 0u) << "it has not worked since the last time, so there is a pause";
  until_restarted(4);
}

TEST_F(WorkerPoolTest, TriesAgainWhenAReplacementDoesNotStart) {
  make_started(1);
  factory.failures = {"no memory", "no memory"};
  (void)ask();
  worker(0).die();
  Asked& next = ask(Deadline::in(10s));
  until_answered(next);
  EXPECT_TRUE(next.answer());
  EXPECT_EQ(factory.started, 4);
}

TEST_F(WorkerPoolTest, LetsEventsWaitBehindAQuickHandlerOnlyWhenAllAreBusy) {
  make_started(2);
  worker(0).depth = worker(1).depth = 3;
  for (int i = 0; i < 6; ++i) (void)ask();
  EXPECT_EQ(worker(0).held.size(), 3u);
  EXPECT_EQ(worker(1).held.size(), 3u);
  EXPECT_EQ(asked[1]->job.worker()->value(), 0) << "an idle one comes first";
  (void)ask();
  EXPECT_EQ(pool->waiting(), 1u);
  worker(0).answer_first();
  EXPECT_EQ(pool->waiting(), 0u);
  EXPECT_EQ(worker(0).held.size(), 3u);
}

TEST_F(WorkerPoolTest, TakesBackWhatWaitsBehindAWorkerThatDies) {
  make_started(2);
  worker(1).depth = 2;
  Asked& first = ask();
  (void)ask();
  Asked& behind = ask();
  ASSERT_EQ(worker(1).held, (std::vector{&first.job, &behind.job}));
  worker(1).die();
  EXPECT_FALSE(first.answer());
  EXPECT_FALSE(behind.job.answered());
  worker(0).answer_first();
  EXPECT_EQ(worker(0).held, std::vector{&behind.job});
}

TEST_F(WorkerPoolTest, GivesWhatADyingWorkerHadNotBegunToAnIdleOneAtOnce) {
  make_started(2);
  worker(1).depth = 2;
  (void)ask();
  (void)ask();
  Asked& behind = ask();
  worker(0).answer_first();
  ASSERT_EQ(pool->idle(), 1u);
  factory.hold = true;  // the replacement takes its time
  worker(1).die();
  EXPECT_EQ(worker(0).held, std::vector{&behind.job});
  factory.release();
}

TEST_F(WorkerPoolTest, GivesWhatWaitedBehindALateOrUnwantedEventToAnIdleWorkerAtOnce) {
  for (bool late : {true, false}) {
    asked.clear();
    make_started(2);
    worker(1).depth = 2;
    Asked& slow = ask(Deadline::never(), {.deadline = late ? Deadline::in(1ms) : Deadline::never()});
    (void)ask();
    Asked& behind = ask();
    worker(0).answer_first();
    ASSERT_EQ(worker(1).held, (std::vector{&slow.job, &behind.job}));
    if (late) {
      until_answered(slow);
    } else {
      asked.erase(asked.begin());
    }
    EXPECT_EQ(worker(0).held, std::vector{&behind.job}) << (late ? "late" : "unwanted");
  }
  asked.clear();
}

TEST_F(WorkerPoolTest, PassesOverAnIdleWorkerThatHasNoRoomForWhatCameBack) {
  make_started(3);
  worker(2).depth = 2;
  for (int i = 0; i < 3; ++i) (void)ask();
  Asked& behind = ask();
  ASSERT_EQ(worker(2).held.size(), 2u);
  worker(0).answer_first();
  worker(1).answer_first();
  worker(1).takes = false;  // the next one
  worker(2).die();
  EXPECT_EQ(worker(0).held, std::vector{&behind.job});
}

TEST_F(WorkerPoolTest, TakesNoWorkerForSlowThatHasJustBeenGivenEvents) {
  make_started(2);
  worker(0).depth = worker(1).depth = 2;
  for (int i = 0; i < 3; ++i) (void)ask();
  ASSERT_EQ(worker(0).held.size(), 2u);
  EXPECT_GE(run_until_done(loop, time_behind_second_worker()), 2ms) << "it was looked at in between";
}

TEST_F(WorkerPoolTest, TakesBackWhatWaitsBehindAHandlerThatTurnsOutToBeSlow) {
  make_started(2);
  worker(1).depth = 3;
  Asked& slow = ask();
  Asked& other = ask();
  Asked& second = ask();
  Asked& third = ask();
  ASSERT_EQ(worker(1).held.size(), 3u);
  worker(0).answer_first();
  EXPECT_TRUE(other.job.answered());
  run_until_done(loop, until(loop, [&] { return worker(1).held.size() == 1; }));
  EXPECT_EQ(worker(1).held, std::vector{&slow.job});
  EXPECT_EQ(worker(0).held, std::vector{&second.job});
  Asked& later = ask();
  worker(0).answer_first();
  EXPECT_EQ(worker(0).held, std::vector{&third.job}) << "it came before the other";
  EXPECT_FALSE(later.job.worker());
}

TEST_F(WorkerPoolTest, RefusesOneThatWaitedTooLongBehindAnother) {
  make_started(1);
  worker(0).depth = 2;
  Asked& first = ask();
  Asked& behind = ask(Deadline::in(1ms));
  Asked& in_line = ask();
  worker(0).keep_behind = true;
  until_answered(behind);
  EXPECT_EQ(behind.answer().error().why, Why::busy);
  EXPECT_EQ(worker(0).held, (std::vector{&first.job, &in_line.job}));
  EXPECT_TRUE(worker(0).given_up.empty());
}

TEST_F(WorkerPoolTest, KeepsAnEventThatItsWorkerHasNoRoomFor) {
  make_started(1);
  worker(0).takes = false;
  Asked& one = ask();
  EXPECT_EQ(pool->waiting(), 1u);
  worker(0).takes = true;
  worker(0).settled();
  EXPECT_EQ(worker(0).held, std::vector{&one.job});
}

TEST_F(WorkerPoolTest, RunsTheCallbacksOfAllIdleWorkersAtItsEnd) {
  make_started(2);
  Group group{loop};
  group.spawn(pool->wind_down(Deadline::in(10s)));
  settle_down();
  EXPECT_EQ(group.size(), 0u);
  std::ranges::sort(factory.callbacks);
  EXPECT_EQ(factory.callbacks, (std::vector<std::string>{"drain 0", "drain 1", "terminate 0", "terminate 1"}));
}

}  // namespace
}  // namespace nuclio::processor
