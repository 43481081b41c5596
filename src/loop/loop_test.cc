// SPDX-License-Identifier: Apache-2.0
#include "loop/loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include "loop/clock.h"
#include "loop/group.h"
#include "loop/manual_clock.h"
#include "loop/run.h"
#include "loop/wait_list.h"

namespace nuclio {
namespace {

using namespace std::chrono_literals;

Task<int> add_after(Loop& loop, int a, int b, std::chrono::milliseconds delay) {
  co_await loop.sleep(delay);
  co_return a + b;
}

struct CountsDestruction {
  explicit CountsDestruction(int& count) : count(&count) {}
  CountsDestruction(const CountsDestruction&) = delete;
  ~CountsDestruction() { ++*count; }
  int* count;
};

Task<void> hold(Loop& loop, int& destroyed) {
  CountsDestruction guard{destroyed};
  co_await loop.sleep(1h);
}

Task<void> record(Loop& loop, std::chrono::milliseconds delay, int id, std::vector<int>& order) {
  co_await loop.sleep(delay);
  order.push_back(id);
}

TEST(Task, GivesItsValueToWhoeverAwaitsIt) {
  Loop loop;
  EXPECT_EQ(run_until_done(loop, add_after(loop, 2, 3, 1ms)), 5);
}

TEST(Task, RunsOnlyDestructorsWhenItIsDestroyed) {
  Loop loop;
  int destroyed = 0;
  {
    Group group{loop};
    group.spawn(hold(loop, destroyed));
    EXPECT_EQ(destroyed, 0);
  }
  EXPECT_EQ(destroyed, 1);
}

Task<int> wait_for_three(Loop& loop, std::vector<int>& order) {
  Group group{loop};
  group.spawn(record(loop, 6ms, 3, order));
  group.spawn(record(loop, 2ms, 1, order));
  group.spawn(record(loop, 4ms, 2, order));
  bool all = co_await group.empty();
  co_return all ? static_cast<int>(group.size()) : -1;
}

TEST(Group, IsEmptyOnceTheLastTaskEnded) {
  Loop loop;
  std::vector<int> order;
  EXPECT_EQ(run_until_done(loop, wait_for_three(loop, order)), 0);
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

Task<bool> wait_in_vain(Loop& loop, int& destroyed) {
  Group group{loop};
  group.spawn(hold(loop, destroyed));
  co_return co_await group.empty(Deadline::in(2ms));
}

TEST(Group, StopsWaitingAtTheDeadline) {
  Loop loop;
  int destroyed = 0;
  EXPECT_FALSE(run_until_done(loop, wait_in_vain(loop, destroyed)));
  EXPECT_EQ(destroyed, 1);
}

TEST(Within, CancelsATaskThatIsTooSlowAndReturnsOneThatIsNot) {
  Loop loop;
  auto slow = within(loop, Deadline::in(2ms), add_after(loop, 1, 1, 1h));
  EXPECT_EQ(run_until_done(loop, std::move(slow)), std::nullopt);
  auto quick = within(loop, Deadline::in(1h), add_after(loop, 1, 1, 1ms));
  EXPECT_EQ(run_until_done(loop, std::move(quick)), 2);
}

Task<int> sleep_in_disorder(Loop& loop, const std::vector<int>& delays, std::vector<int>& order) {
  Group group{loop};
  for (int delay : delays) group.spawn(record(loop, std::chrono::milliseconds{delay}, delay, order));
  (void)co_await group.empty();
  co_return 0;
}

TEST(Timers, FireInTheOrderOfTheirTimes) {
  Loop loop;
  std::vector<int> delays;
  for (int i = 0; i < 60; ++i) delays.push_back(i);
  std::mt19937 random{7};
  std::shuffle(delays.begin(), delays.end(), random);
  std::vector<int> order;
  run_until_done(loop, sleep_in_disorder(loop, delays, order));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.size(), 60u);
}

class CountingTimer final : public Timer {
 public:
  CountingTimer(Loop& loop, int& count) : Timer(loop), count_(count) {}
  void fire() override { ++count_; }

 private:
  int& count_;
};

Task<int> arm_and_disarm_many(Loop& loop) {
  int fired = 0;
  std::vector<std::unique_ptr<CountingTimer>> timers;
  std::mt19937 random{3};
  for (int i = 0; i < 500; ++i) {
    timers.push_back(std::make_unique<CountingTimer>(loop, fired));
    timers.back()->arm(Deadline::in(std::chrono::microseconds{random() % 5000}));
  }
  for (int i = 0; i < 500; i += 2) timers[i]->disarm();
  for (int i = 1; i < 500; i += 4) timers[i]->arm(Deadline::in(1h));
  co_await loop.sleep(10ms);
  co_return fired;
}

TEST(Timers, FireOnlyWhenStillArmed) {
  Loop loop;
  EXPECT_EQ(run_until_done(loop, arm_and_disarm_many(loop)), 125);
}

TEST(Loop, RunsMessagesOfOtherThreadsOnItsOwn) {
  Loop loop;
  std::vector<std::thread::id> ids;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) loop.post([&] { ids.push_back(std::this_thread::get_id()); });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(ids, std::vector(100, std::this_thread::get_id()));
}

Task<void> await_notice(WaitList& list, int id, std::vector<int>& woken) {
  bool notified = co_await list.wait();
  if (notified) woken.push_back(id);
}

Task<int> notify_two_of_three(Loop& loop, std::vector<int>& woken) {
  WaitList list{loop};
  Group group{loop};
  for (int id : {1, 2, 3}) group.spawn(await_notice(list, id, woken));
  list.notify_one();
  list.notify_one();
  EXPECT_TRUE(woken.empty()) << "a waiter ran inside its waker";
  co_await loop.yield();
  co_return list.empty() ? -1 : 0;
}

TEST(WaitList, WakesInOrderAndNeverInsideTheWaker) {
  Loop loop;
  std::vector<int> woken;
  EXPECT_EQ(run_until_done(loop, notify_two_of_three(loop, woken)), 0);
  EXPECT_EQ(woken, (std::vector{1, 2}));
}

Task<int> cancel_a_woken_waiter(Loop& loop, std::vector<int>& woken) {
  WaitList list{loop};
  {
    Group group{loop};
    group.spawn(await_notice(list, 1, woken));
    list.notify_all();
  }
  co_await loop.yield();
  co_return 0;
}

TEST(WaitList, ForgetsAWaiterThatIsDestroyedAfterItWasNotified) {
  Loop loop;
  std::vector<int> woken;
  run_until_done(loop, cancel_a_woken_waiter(loop, woken));
  EXPECT_TRUE(woken.empty());
}

Task<int> sleep_twice(Loop& loop) {
  auto began = std::chrono::steady_clock::now();
  {
    Group group{loop};
    int destroyed = 0;
    group.spawn(hold(loop, destroyed));
    co_await loop.sleep(4ms);  // sooner than the other
  }
  co_await loop.sleep(4ms);  // when the alarm stands on a time that nobody waits for
  auto took = std::chrono::steady_clock::now() - began;
  co_return took >= 8ms ? 1 : 0;
}

TEST(Timers, FireWhenTheAlarmHadBeenSetForOthers) {
  Loop loop;
  EXPECT_EQ(run_until_done(loop, sleep_twice(loop)), 1);
}

Task<void> until(Clock& clock, SystemTime when, bool& reached) {
  co_await clock.sleep_until(when);
  reached = true;
}

Task<int> move_the_clock(Loop& loop) {
  ManualClock clock{loop, SystemTime{}};
  Group group{loop};
  bool reached = false;
  group.spawn(until(clock, SystemTime{} + 1h, reached));
  clock.move_to(SystemTime{} + 59min);
  co_await loop.yield();
  EXPECT_FALSE(reached);
  clock.move_to(SystemTime{} + 1h);
  co_await loop.yield();
  co_await loop.yield();
  EXPECT_TRUE(reached);
  co_return 0;
}

TEST(ManualClock, MovesOnlyByHand) {
  Loop loop;
  run_until_done(loop, move_the_clock(loop));
}

Task<int> already_passed(Loop& loop) {
  co_await loop.sleep_until(Deadline::in(-1s));
  co_return 1;
}

TEST(Sleep, ReturnsAtOnceWhenItsTimeHasPassed) {
  Loop loop;
  EXPECT_EQ(run_until_done(loop, already_passed(loop)), 1);
}

// Has `left` things to be taken, one a round; is woken by whoever watches `arms`.
class CountingPoller final : public Poller {
 public:
  explicit CountingPoller(int left) : left(left) {}
  bool poll() override {
    ++polls;
    return left > 0 && left--;
  }
  bool arm() override {
    EXPECT_FALSE(std::exchange(armed, true));
    ++arms;
    return left == 0;
  }
  void disarm() override { EXPECT_TRUE(std::exchange(armed, false)); }

  int left;
  int polls = 0;
  int arms = 0;
  bool armed = false;
};

Task<int> sleep_for(Loop& loop, std::chrono::milliseconds time) {
  co_await loop.sleep(time);
  co_return 0;
}

TEST(Poller, IsEmptiedBeforeTheLoopSleepsAndArmedWhileItSleeps) {
  Loop loop;
  CountingPoller poller{5};
  loop.add(poller);
  run_until_done(loop, sleep_for(loop, 20ms));
  EXPECT_EQ(poller.left, 0);
  EXPECT_FALSE(poller.armed);
  EXPECT_GE(poller.arms, 1);
  EXPECT_LE(poller.polls, 20);  // it slept rather than looked all the time
}

// Says that there is something only when it is armed, as if that came just before.
class LatePoller final : public Poller {
 public:
  explicit LatePoller(Loop& loop) : loop_(loop) {}
  bool poll() override {
    if (there_) loop_.stop();
    return there_;
  }
  bool arm() override {
    there_ = true;
    return false;
  }
  void disarm() override {}

 private:
  Loop& loop_;
  bool there_ = false;
};

TEST(Poller, WhatComesWhileItIsArmedKeepsTheLoopAwake) {
  Loop loop;
  LatePoller poller{loop};
  loop.add(poller);
  loop.run();  // without a timer it would sleep for ever
}

// Destroys its fellow and itself.
class EndingPoller final : public Poller {
 public:
  EndingPoller(std::unique_ptr<EndingPoller>& first, std::unique_ptr<EndingPoller>& second)
      : first_(first), second_(second) {}
  bool poll() override {
    auto keep = std::move(first_);
    auto other = std::move(second_);
    return false;
  }
  bool arm() override { return true; }
  void disarm() override {}

 private:
  std::unique_ptr<EndingPoller>& first_;
  std::unique_ptr<EndingPoller>& second_;
};

TEST(Poller, MayDestroyPollersWhileItIsLookedAt) {
  Loop loop;
  std::unique_ptr<EndingPoller> first;
  std::unique_ptr<EndingPoller> second;
  first = std::make_unique<EndingPoller>(first, second);
  second = std::make_unique<EndingPoller>(first, second);
  loop.add(*first);
  loop.add(*second);
  run_until_done(loop, sleep_for(loop, 1ms));
  EXPECT_FALSE(first || second);
}

TEST(Deadline, NeverIsNotReachedByAdding) {
  EXPECT_TRUE(Deadline::in(std::chrono::nanoseconds::max()).is_never());
  EXPECT_FALSE(Deadline::never().passed());
  EXPECT_EQ(earlier(Deadline::never(), Deadline::at(SteadyTime{})), Deadline::at(SteadyTime{}));
}

}  // namespace
}  // namespace nuclio
