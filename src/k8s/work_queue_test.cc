// SPDX-License-Identifier: Apache-2.0
#include "k8s/work_queue.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "loop/group.h"
#include "loop/run.h"

namespace nuclio::k8s {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct WorkQueueTest : testing::Test {
  std::optional<WorkQueue::Work> next(std::chrono::milliseconds patience = 0ms) {
    return run_until_done(loop, queue.next(Deadline::in(patience)));
  }
  std::string name_of_next(std::chrono::milliseconds patience = 0ms) {
    auto work = next(patience);
    return work ? work->name().text() : "nothing";
  }
  Loop loop;
  WorkQueue queue{loop, {.first_pause = 10ms, .longest_pause = 40ms, .jitter = 0}};
};

TEST_F(WorkQueueTest, GivesEachNameOnceInTheOrderInWhichTheyCame) {
  for (const char* name : {"b", "a", "b", "c", "a"}) queue.add({"media", name});
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(name_of_next(), "media/b");
  EXPECT_EQ(name_of_next(), "media/a");
  EXPECT_EQ(name_of_next(), "media/c");
  EXPECT_EQ(name_of_next(), "nothing");
}

TEST_F(WorkQueueTest, GivesANameAgainThatWasAddedWhileItWasWorkedAt) {
  queue.add({"", "a"});
  {
    auto work = next();
    queue.add({"", "a"});
    queue.add({"", "a"});
    EXPECT_EQ(queue.working(), 1u);
    EXPECT_EQ(name_of_next(), "nothing") << "no two work at the same";
  }
  EXPECT_EQ(queue.working(), 0u);
  EXPECT_EQ(name_of_next(), "a");
  EXPECT_EQ(name_of_next(), "nothing");
}

TEST_F(WorkQueueTest, GivesAFailedNameBackAfterPausesThatGrow) {
  queue.add({"", "a"});
  std::vector<std::chrono::milliseconds> pauses;
  for (int failures = 0; failures < 4; ++failures) {
    const SteadyTime begin = std::chrono::steady_clock::now();
    auto work = next(5s);
    ASSERT_TRUE(work);
    EXPECT_EQ(work->failures(), failures);
    work->failed();
    pauses.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin));
  }
  EXPECT_GE(pauses[1], 9ms);
  EXPECT_GE(pauses[2], 19ms);
  EXPECT_GE(pauses[3], 39ms);
  (void)next(5s);  // is well
  queue.add({"", "a"});
  EXPECT_EQ(next()->failures(), 0);
}

TEST_F(WorkQueueTest, CountsTheSoonerOfTwoPauses) {
  queue.add_after({"", "a"}, 1h);
  queue.add_after({"", "a"}, 5ms);
  queue.add_after({"", "a"}, 2h);
  EXPECT_EQ(name_of_next(), "nothing");
  EXPECT_EQ(name_of_next(5s), "a");
  queue.add_after({"", "b"}, 5ms);
  queue.add({"", "b"});
  EXPECT_EQ(name_of_next(), "b");
  EXPECT_EQ(name_of_next(20ms), "nothing");
}

TEST_F(WorkQueueTest, KeepsAPauseThatBeginsWhileTheNameIsWorkedAt) {
  queue.add({"", "a"});
  {
    auto work = next();
    queue.add_after({"", "a"}, 1ms);
    EXPECT_EQ(name_of_next(20ms), "nothing") << "its time has come, but it is worked at still";
  }
  EXPECT_EQ(name_of_next(), "a");
}

Task<bool> let_others_run(Loop& loop) {
  for (int round = 0; round < 10; ++round) co_await loop.yield();
  co_return true;
}

Task<void> work_for_ever(WorkQueue& queue, std::vector<std::string>& done) {
  for (;;) {
    auto work = co_await queue.next(Deadline::never());
    done.push_back(work->name().name);
  }
}

TEST_F(WorkQueueTest, WakesThoseWhoWait) {
  std::vector<std::string> done;
  {
    Group workers{loop};
    for (int i = 0; i < 3; ++i) workers.spawn(work_for_ever(queue, done));
    for (const char* name : {"a", "b", "c", "d"}) queue.add({"", name});
    run_until_done(loop, let_others_run(loop));
  }
  EXPECT_THAT(done, ElementsAre("a", "b", "c", "d"));
}

TEST_F(WorkQueueTest, LosesNoNameToAWaiterThatIsCancelled) {
  std::vector<std::string> done;
  Group staying{loop};
  {
    Group leaving{loop};
    leaving.spawn(work_for_ever(queue, done));
    staying.spawn(work_for_ever(queue, done));
    queue.add({"", "a"});  // wakes the one that leaves before it could run
  }
  run_until_done(loop, let_others_run(loop));
  EXPECT_THAT(done, ElementsAre("a"));
}

TEST_F(WorkQueueTest, HoldsTenThousandNamesThatAreDueSomeTime) {
  for (int i = 0; i < 10'000; ++i) queue.add_after({"", std::to_string(i)}, std::chrono::microseconds{i});
  std::size_t count = 0;
  while (next(1s) && ++count < 10'000) continue;
  EXPECT_EQ(count, 10'000u);
  EXPECT_EQ(queue.size(), 0u);
}

}  // namespace
}  // namespace nuclio::k8s
