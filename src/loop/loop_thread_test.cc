// SPDX-License-Identifier: Apache-2.0
#include "loop/loop_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "loop/run.h"

namespace nuclio {
namespace {

using namespace std::chrono_literals;

class LoopThreadTest : public testing::Test {
 protected:
  Loop here_;
  LoopThread there_{"there"};
};

Task<std::thread::id> where(Loop& loop) {
  co_await loop.yield();
  co_return std::this_thread::get_id();
}

// Where it ran, there and, after that, here.
Task<std::pair<std::thread::id, std::thread::id>> there_and_back(Loop& here, LoopThread& there) {
  auto id = co_await there.run(here, [&there] { return where(there.loop()); });
  co_return std::pair{id.value_or(std::thread::id{}), std::this_thread::get_id()};
}

Task<bool> block(std::shared_future<void> released, std::atomic<bool>& ended) {
  released.wait();
  ended = true;
  co_return true;
}

// Says whether it was cancelled on the thread that it ran on.
struct Cancelled {
  std::atomic<bool>& there;
  std::thread::id thread = std::this_thread::get_id();
  ~Cancelled() { there = thread == std::this_thread::get_id(); }
};
Task<bool> sleep_long(Loop& loop, std::atomic<bool>& cancelled) {
  Cancelled note{cancelled};
  co_await loop.sleep(1h);
  co_return true;
}

TEST_F(LoopThreadTest, RunsATaskThereAndGivesItsResultHere) {
  auto [there, here] = run_until_done(here_, there_and_back(here_, there_));
  EXPECT_EQ(here, std::this_thread::get_id());
  EXPECT_NE(there, here);
  EXPECT_NE(there, std::thread::id{});
}

TEST_F(LoopThreadTest, GivesResultsThatCanOnlyBeMoved) {
  auto make = []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  auto got = run_until_done(here_, there_.run(here_, make));
  ASSERT_TRUE(got);
  EXPECT_EQ(**got, 7);
}

TEST_F(LoopThreadTest, GivesNothingAtTheDeadlineAndLetsTheTaskGoOn) {
  std::promise<void> released;
  auto may_end = released.get_future().share();
  std::atomic<bool> ended = false;
  auto slow = [&, may_end] { return block(may_end, ended); };
  EXPECT_FALSE(run_until_done(here_, there_.run(here_, slow, Deadline::in(5ms))));
  EXPECT_FALSE(ended);
  released.set_value();
  auto after = []() -> Task<bool> { co_return true; };
  EXPECT_TRUE(run_until_done(here_, there_.run(here_, after)));
  EXPECT_TRUE(ended);
}

TEST_F(LoopThreadTest, CancelsOnItsOwnThreadWhatRunsWhenItEnds) {
  std::atomic<bool> cancelled = false;
  auto forever = [&] { return sleep_long(there_.loop(), cancelled); };
  EXPECT_FALSE(run_until_done(here_, there_.run(here_, forever, Deadline::in(5ms))));
  EXPECT_TRUE(there_.end(Deadline::in(10s)));
  EXPECT_TRUE(cancelled);
}

TEST_F(LoopThreadTest, SaysThatItDoesNotEnd) {
  std::promise<void> released;
  auto may_end = released.get_future().share();
  std::atomic<bool> ended = false;
  auto stuck = [&, may_end] { return block(may_end, ended); };
  EXPECT_FALSE(run_until_done(here_, there_.run(here_, stuck, Deadline::in(1ms))));
  EXPECT_FALSE(there_.end(Deadline::in(5ms)));
  released.set_value();
  EXPECT_TRUE(there_.end(Deadline::in(10s)));
}

}  // namespace
}  // namespace nuclio
