// SPDX-License-Identifier: Apache-2.0
#include "processor/worker_pool.h"

#include <gtest/gtest.h>

#include <optional>

#include "loop/run.h"
#include "processor/fake_workers.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

class WorkerPoolTest : public testing::Test {
 protected:
  WorkerPool& make(int workers, std::size_t queue_limit = 10) {
    PoolOptions options{.trigger_kind = "http", .trigger_name = "web", .workers = workers, .queue_limit = queue_limit};
    pool.emplace(loop, factory, std::move(options));
    return *pool;
  }
  void make_started(int workers, std::size_t queue_limit = 10) {
    make(workers, queue_limit);
    ASSERT_TRUE(run_until_done(loop, pool->start()));
  }
  Result<Lease> acquire(Deadline deadline) { return run_until_done(loop, acquire_task(deadline)); }
  Task<Result<Lease>> acquire_task(Deadline deadline) { co_return co_await pool->acquire(deadline, statistics); }
  // Lets everything that is ready run.
  void settle_down() { run_until_done(loop, rounds()); }
  Task<bool> rounds() {
    for (int i = 0; i < 10; ++i) co_await loop.yield();
    co_return true;
  }
  Task<void> take(std::vector<std::pair<int, Lease>>& into, int name) {
    auto lease = co_await pool->acquire(Deadline::in(10s), statistics);
    if (lease) into.emplace_back(name, std::move(*lease));
  }
  Task<bool> until_restarts(std::uint64_t count) {
    while (pool->restarts() < count || pool->idle() < pool->size()) co_await loop.sleep(1ms);
    co_return true;
  }

  Loop loop;
  FakeFactory factory{loop};
  PoolStatistics statistics;
  std::optional<WorkerPool> pool;
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

TEST_F(WorkerPoolTest, LendsAnIdleWorkerAtOnceAndTakesItBack) {
  make_started(2);
  {
    auto lease = acquire(Deadline::in(0s));
    ASSERT_TRUE(lease);
    EXPECT_EQ(pool->idle(), 1u);
  }
  EXPECT_EQ(pool->idle(), 2u);
  EXPECT_EQ(statistics.immediate, 1u);
  EXPECT_EQ(statistics.available_percent, 100.0);
}

TEST_F(WorkerPoolTest, LendsTheWorkerThatWasBusyLast) {
  make_started(3);
  auto first = acquire(Deadline::never());
  auto second = acquire(Deadline::never());
  WorkerIndex warm = (*first)->index();
  {
    Lease back = std::move(*second);
  }
  {
    Lease back = std::move(*first);
  }
  EXPECT_EQ((*acquire(Deadline::never()))->index(), warm);
}

TEST_F(WorkerPoolTest, NeverWaitsWithoutTime) {
  make_started(1);
  auto held = acquire(Deadline::never());
  auto refused = acquire(Deadline::in(0s));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Why::busy);
  EXPECT_EQ(statistics.timed_out, 1u);
  EXPECT_EQ(statistics.wait.count(), 0);
}

TEST_F(WorkerPoolTest, GivesUpAtTheDeadline) {
  make_started(1);
  auto held = acquire(Deadline::never());
  auto refused = acquire(Deadline::in(5ms));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Why::busy);
  EXPECT_EQ(refused.error().what,
            "none of the 1 workers came free in time; raise numWorkers or workerAvailabilityTimeoutMilliseconds of "
            "the trigger");
  EXPECT_EQ(pool->waiting(), 0u);
  EXPECT_EQ(statistics.timed_out, 1u);
  EXPECT_GE(statistics.wait, 4ms);
}

TEST_F(WorkerPoolTest, ServesThoseWhoWaitInTheirOrder) {
  make_started(1);
  auto held = acquire(Deadline::never());
  std::vector<std::pair<int, Lease>> got;
  Group group{loop};
  for (int i = 0; i < 3; ++i) group.spawn(take(got, i));
  EXPECT_EQ(pool->waiting(), 3u);
  {
    Lease back = std::move(*held);
  }
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    settle_down();
    ASSERT_EQ(got.size(), 1u);
    order.push_back(got.front().first);
    got.clear();
  }
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
  EXPECT_EQ(statistics.after_wait, 3u);
  EXPECT_EQ(pool->idle(), 1u);
}

TEST_F(WorkerPoolTest, RefusesAtOnceWhenTheQueueIsFull) {
  make_started(1, 1);
  auto held = acquire(Deadline::never());
  std::vector<std::pair<int, Lease>> got;
  Group group{loop};
  group.spawn(take(got, 0));
  auto refused = acquire(Deadline::never());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Why::busy);
  EXPECT_EQ(refused.error().what,
            "all 1 workers are busy and 1 events wait for them already; send less, or raise numWorkers of the trigger");
}

TEST_F(WorkerPoolTest, HandsAWorkerOnWhenTheOneItWasGivenToIsCancelled) {
  make_started(1);
  auto held = acquire(Deadline::never());
  std::vector<std::pair<int, Lease>> got;
  auto first = std::make_unique<Group>(loop);
  Group second{loop};
  first->spawn(take(got, 1));
  second.spawn(take(got, 2));
  {
    Lease back = std::move(*held);
  }  // it is handed to the first now, which has not run yet
  EXPECT_EQ(pool->waiting(), 1u);
  first.reset();
  settle_down();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got.front().first, 2);
}

TEST_F(WorkerPoolTest, ForgetsACancelledWaiter) {
  make_started(1);
  auto held = acquire(Deadline::never());
  std::vector<std::pair<int, Lease>> got;
  {
    Group group{loop};
    group.spawn(take(got, 1));
    EXPECT_EQ(pool->waiting(), 1u);
  }
  EXPECT_EQ(pool->waiting(), 0u);
  {
    Lease back = std::move(*held);
  }
  EXPECT_EQ(pool->idle(), 1u);
}

TEST_F(WorkerPoolTest, ReplacesAWorkerThatComesBackDead) {
  make_started(2);
  {
    auto lease = acquire(Deadline::never());
    factory.worker((*lease)->index().value()).die();
  }
  EXPECT_EQ(pool->idle(), 1u);
  settle_down();
  EXPECT_EQ(pool->idle(), 2u);
  EXPECT_EQ(pool->restarts(), 1u);
  EXPECT_EQ(factory.started, 3);
  EXPECT_EQ(factory.alive, 2);
}

TEST_F(WorkerPoolTest, NeverLendsAWorkerThatDiedWhileItWasIdle) {
  make_started(2);
  factory.worker(1).die();  // the one that would be lent next
  auto lease = acquire(Deadline::never());
  ASSERT_TRUE(lease);
  EXPECT_EQ((*lease)->index().value(), 0);
}

TEST_F(WorkerPoolTest, ReplacesAWorkerThatDiedWhileItWasIdle) {
  make_started(1);
  factory.worker(0).die();
  run_until_done(loop, until_restarts(1));
  EXPECT_EQ(factory.alive, 1);
  auto lease = acquire(Deadline::in(0s));
  EXPECT_TRUE(lease);
}

TEST_F(WorkerPoolTest, TriesAgainWhenAReplacementDoesNotStart) {
  make_started(1);
  factory.failures = {"no memory", "no memory"};
  {
    auto lease = acquire(Deadline::never());
    factory.worker(0).die();
  }
  auto waited = acquire(Deadline::in(10s));
  EXPECT_TRUE(waited);
  EXPECT_EQ(factory.started, 4);
}

TEST_F(WorkerPoolTest, KeepsAWorkerThatLetsGoOfACallThatWasGivenUp) {
  make_started(1);
  {
    auto lease = acquire(Deadline::never());
    factory.worker(0).state = FakeWorker::State::settling;
  }
  settle_down();
  EXPECT_EQ(pool->idle(), 0u);
  factory.worker(0).settled();
  settle_down();
  EXPECT_EQ(pool->idle(), 1u);
  EXPECT_EQ(factory.started, 1);
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
