// SPDX-License-Identifier: Apache-2.0
#include "loop/poll_set.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "loop/run.h"
#include "loop/stream.h"

namespace nuclio {
namespace {

using namespace std::chrono_literals;

Task<bool> wait_for(PollSet& set, std::chrono::milliseconds time) {
  bool ready = co_await set.ready(Deadline::in(time));
  co_return ready;
}

TEST(PollSet, TellsAgainUntilAllWasReadAndNothingOfWhatIsNotWanted) {
  Loop loop;
  PollSet set{loop};
  auto pipe = make_pipe().value();
  std::array<PollSet::Ready, 4> room;
  set.set(pipe.read.get(), PollSet::kReadable);
  while (!set.take(room).empty()) FAIL() << "nothing was written yet";
  EXPECT_FALSE(run_until_done(loop, wait_for(set, 5ms)));

  ASSERT_EQ(write(pipe.write.get(), "ab", 2), 2);
  EXPECT_TRUE(run_until_done(loop, wait_for(set, 5s)));
  char c = 0;
  for (int i = 0; i < 2; ++i) {
    auto ready = set.take(room);
    ASSERT_EQ(ready.size(), 1u);
    EXPECT_EQ(ready[0].descriptor, pipe.read.get());
    EXPECT_EQ(ready[0].what, unsigned{PollSet::kReadable});
    ASSERT_EQ(read(pipe.read.get(), &c, 1), 1);
  }
  EXPECT_TRUE(set.take(room).empty());

  set.set(pipe.read.get(), PollSet::kNothing);
  pipe.write.reset();
  EXPECT_FALSE(run_until_done(loop, wait_for(set, 5ms)));
  set.set(pipe.read.get(), PollSet::kReadable);
  EXPECT_TRUE(run_until_done(loop, wait_for(set, 5s)));
  EXPECT_TRUE(set.take(room)[0].what & PollSet::kBroken);
}

}  // namespace
}  // namespace nuclio
