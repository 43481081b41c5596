// SPDX-License-Identifier: Apache-2.0
#include "processor/waiting_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

class WaitingLineTest : public testing::Test {
 protected:
  Job& job(Deadline availability = Deadline::never()) { return jobs.emplace_back(loop, event, call, availability); }
  bool enter(Job& one) { return line.enter(one, now, dropped); }
  // One comes in each ten milliseconds and one is served in each ten of those, until the line has been full for long.
  void overload() {
    for (int i = 0; i < 300; ++i) {
      now += 10ms;
      (void)enter(job(Deadline::at(now + 10s)));
      if (i % 10 == 9) (void)line.take(now);
    }
    ASSERT_TRUE(line.overloaded(now));
  }

  Loop loop;
  Event event;
  Call call;
  std::deque<Job> jobs;
  SteadyTime now = std::chrono::steady_clock::now();
  WaitingLine line{3};
  Job* dropped = nullptr;
};

TEST_F(WaitingLineTest, ServesInTheOrderOfComing) {
  Job& a = job();
  Job& b = job();
  EXPECT_TRUE(enter(a));
  EXPECT_TRUE(enter(b));
  EXPECT_EQ(line.take(now), &a);
  EXPECT_EQ(line.take(now), &b);
  EXPECT_EQ(line.take(now), nullptr);
}

TEST_F(WaitingLineTest, HasALimit) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(enter(job()));
  EXPECT_FALSE(enter(job()));
  EXPECT_EQ(dropped, nullptr);
  EXPECT_EQ(line.size(), 3u);
}

TEST_F(WaitingLineTest, ABurstIsNoOverload) {
  Job& first = job();
  (void)enter(first);
  for (int i = 0; i < 10; ++i) (void)enter(job());
  now += 50ms;
  EXPECT_FALSE(line.overloaded(now));
  EXPECT_EQ(line.take(now), &first);
}

TEST_F(WaitingLineTest, ALongWaitWithoutRefusalsIsNoOverload) {
  Job& first = job();
  (void)enter(first);
  (void)enter(job());
  now += 10s;
  EXPECT_FALSE(line.overloaded(now));
  EXPECT_EQ(line.take(now), &first);
}

TEST_F(WaitingLineTest, ServesTheNewestFirstWhenThereAreConstantlyTooMany) {
  overload();
  (void)line.take(now);
  Job& newest = job();
  EXPECT_TRUE(enter(newest));
  EXPECT_EQ(line.take(now), &newest);
}

TEST_F(WaitingLineTest, IsFairAgainWhenTheOverloadIsOver) {
  overload();
  now += 200ms;
  EXPECT_FALSE(line.overloaded(now));
  std::vector<std::ptrdiff_t> order;
  while (Job* next = line.take(now))
    order.push_back(std::ranges::find_if(jobs, [&](Job& each) { return &each == next; }) - jobs.begin());
  EXPECT_GE(order.size(), 2u);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_F(WaitingLineTest, MakesRoomByDroppingOneThatCannotBeServedInTimeAnyMore) {
  overload();
  while (line.take(now)) {
  }
  Job& hurried = job(Deadline::at(now + 20ms));
  Job& patient = job(Deadline::at(now + 10s));
  Job& other = job(Deadline::at(now + 10s));
  for (Job* each : {&hurried, &patient, &other}) EXPECT_TRUE(enter(*each));
  // Full and refusing for long enough to be an overload again.
  for (int i = 0; i < 12; ++i) {
    now += 10ms;
    Job& next = job(Deadline::at(now + 10s));
    bool in = enter(next);
    if (dropped) {
      EXPECT_TRUE(in);
      EXPECT_EQ(dropped, &hurried);
      return;
    }
    EXPECT_FALSE(in);
  }
  FAIL() << "nobody was dropped";
}

TEST_F(WaitingLineTest, OneThatComesBackKeepsItsPlace) {
  Job& a = job();
  Job& b = job();
  (void)enter(a);
  EXPECT_EQ(line.take(now), &a);
  (void)enter(b);
  for (int i = 0; i < 2; ++i) (void)enter(job());
  line.enter_again(a);
  EXPECT_EQ(line.size(), 4u) << "also when there is no room for others";
  EXPECT_EQ(line.take(now), &a);
  EXPECT_EQ(line.take(now), &b);
}

}  // namespace
}  // namespace nuclio::processor
