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

TEST_F(LoopThreadTest, RunsATaskThereAndGivesItsResultHere) {
  auto back = [this]() -> Task<bool> {
    auto id = co_await there_.run(here_, [this] { return where(there_.loop()); });
    EXPECT_TRUE(id.has_value());
    EXPECT_NE(*id, std::this_thread::get_id());
    co_return true;
  };
  auto caller = std::this_thread::get_id();
  EXPECT_TRUE(run_until_done(here_, back()));
  EXPECT_EQ(caller, std::this_thread::get_id());
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
  auto slow = [&, may_end]() -> Task<bool> {
    may_end.wait();
    ended = true;
    co_return true;
  };
  EXPECT_FALSE(run_until_done(here_, there_.run(here_, slow, Deadline::in(5ms))));
  EXPECT_FALSE(ended);
  released.set_value();
  auto after = []() -> Task<bool> { co_return true; };
  EXPECT_TRUE(run_until_done(here_, there_.run(here_, after)));
  EXPECT_TRUE(ended);
}

TEST_F(LoopThreadTest, CancelsOnItsOwnThreadWhatRunsWhenItEnds) {
  struct Notes {
    std::atomic<bool>& cancelled;
    std::thread::id thread = std::this_thread::get_id();
    ~Notes() { cancelled = thread == std::this_thread::get_id(); }
  };
  std::atomic<bool> cancelled = false;
  auto forever = [&]() -> Task<bool> {
    Notes notes{cancelled};
    co_await there_.loop().sleep(1h);
    co_return true;
  };
  EXPECT_FALSE(run_until_done(here_, there_.run(here_, forever, Deadline::in(5ms))));
  EXPECT_TRUE(there_.end(Deadline::in(10s)));
  EXPECT_TRUE(cancelled);
}

TEST_F(LoopThreadTest, SaysThatItDoesNotEnd) {
  std::promise<void> released;
  auto may_end = released.get_future().share();
  auto stuck = [may_end]() -> Task<bool> {
    may_end.wait();
    co_return true;
  };
  EXPECT_FALSE(run_until_done(here_, there_.run(here_, stuck, Deadline::in(1ms))));
  EXPECT_FALSE(there_.end(Deadline::in(5ms)));
  released.set_value();
  EXPECT_TRUE(there_.end(Deadline::in(10s)));
}

}  // namespace
}  // namespace nuclio
