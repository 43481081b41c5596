// SPDX-License-Identifier: Apache-2.0
// Parents that cannot, will not, lie or die; that a good one forks workers is shown with the real one in
// test/integration.
#include "processor/warm_parent.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/log.h"
#include "loop/run.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

class WarmParentTest : public testing::Test {
 protected:
  WarmParentTest() { log::configure({.level = log::Level::error, .descriptor = -1}); }
  ~WarmParentTest() override { log::configure({}); }

  // A parent that runs this with `s`, its socket.
  void make(const std::string& script) {
    std::string whole = "import json, os, socket, time\ns = socket.socket(fileno=3)\n" + script;
    parent.emplace(loop, Launch{.argv = {"/usr/bin/python3", "-c", whole}, .env = {"PATH=/usr/bin"}, .directory = "/"});
  }
  Result<bool> ready(Deadline deadline = Deadline::in(10s)) { return run_until_done(loop, parent->ready(deadline)); }
  Result<Child> fork(Deadline deadline = Deadline::in(10s)) {
    int null = 0;
    return run_until_done(loop, parent->fork({WorkerIndex{4}, "cron", "tick"}, {.memory_bytes = 1000, .descriptors = 7},
                                             {&null, 1}, deadline));
  }

  Loop loop;
  std::optional<WarmParent> parent;
};

TEST_F(WarmParentTest, IsReadyWhenItSaysSoAndStartedOnce) {
  make("s.send(b'{\"ready\": true}')\ns.recv(9)");
  EXPECT_EQ(ready(), true);
  EXPECT_EQ(ready(), true);
  EXPECT_EQ(parent->starts(), 1);
}

TEST_F(WarmParentTest, OneThatCannotForkIsNotAskedAgain) {
  make("s.send(b'{\"unsupported\": \"no compiled half\"}')");
  EXPECT_EQ(ready(), false);
  EXPECT_EQ(ready(), false);
  EXPECT_EQ(parent->starts(), 1);
}

TEST_F(WarmParentTest, GivesItsOwnWordsWhenItFails) {
  make("s.send(json.dumps({'failed': 'main.py line 3: no', 'traceback': 'Traceback\\n'}).encode())");
  auto is = ready();
  ASSERT_FALSE(is);
  EXPECT_EQ(is.error().why, Why::invalid);
  EXPECT_EQ(is.error().what, "main.py line 3: no\nTraceback");
}

TEST_F(WarmParentTest, SaysThatItDiedAndIsStartedAnewTheNextTime) {
  make("pass");
  for (int times = 1; times < 3; ++times) {
    auto is = ready();
    ASSERT_FALSE(is);
    EXPECT_EQ(is.error().why, Why::unavailable);
    EXPECT_NE(is.error().what.find("what it printed is in the log"), std::string::npos);
    EXPECT_EQ(parent->starts(), times);
  }
}

TEST_F(WarmParentTest, IsWaitedForNoLongerThanTheDeadline) {
  make("time.sleep(1000)");
  EXPECT_EQ(ready(Deadline::in(50ms)).error().why, Why::timeout);
}

TEST_F(WarmParentTest, SaysNothingThatIsNoPacket) {
  make("s.send(b'[1')");
  EXPECT_EQ(ready().error().why, Why::invalid);
}

TEST_F(WarmParentTest, PassesAnOrderOnAndWhatIsWrongWithIt) {
  make(
      "s.send(b'{\"ready\": true}')\n"
      "data, fds, flags, address = socket.recv_fds(s, 65536, 8)\n"
      "s.send(json.dumps({'error': f'{len(fds)} {sorted(json.loads(data).items())}', 'worker_id': '4'}).encode())\n"
      "s.recv(9)");
  ASSERT_EQ(ready(), true);
  auto child = fork();
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().what,
            "a worker could not be forked: 1 [('descriptor_limit', 7), ('memory_limit', 1000), ('trigger_kind', "
            "'cron'), ('trigger_name', 'tick'), ('worker_id', '4')]");
  EXPECT_EQ(ready(), true);
  EXPECT_EQ(parent->starts(), 1) << "it answered, so it goes on";
}

TEST_F(WarmParentTest, AdoptsNobodyElsesProcess) {
  make(
      "s.send(b'{\"ready\": true}')\n"
      "socket.recv_fds(s, 65536, 8)\n"
      "s.send(json.dumps({'pid': 1, 'worker_id': '4'}).encode())\ns.recv(9)");
  ASSERT_EQ(ready(), true);
  auto child = fork();
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().what, "process 1 is no child of ours with a group of its own");
}

TEST_F(WarmParentTest, OneThatDiedSinceItWasReadyIsStartedAgain) {
  make("s.send(b'{\"ready\": true}')\nsocket.recv_fds(s, 65536, 8)");
  ASSERT_EQ(ready(), true);
  EXPECT_EQ(fork().error().why, Why::unavailable);
  EXPECT_EQ(ready(), true);
  EXPECT_EQ(parent->starts(), 2);
}

TEST_F(WarmParentTest, AnOrderThatIsGivenUpTakesTheProcessAlong) {
  make("s.send(b'{\"ready\": true}')\nsocket.recv_fds(s, 65536, 8)\ntime.sleep(1000)");
  ASSERT_EQ(ready(), true);
  EXPECT_EQ(fork(Deadline::in(20ms)).error().why, Why::timeout);
  EXPECT_EQ(ready(), true);
  EXPECT_EQ(parent->starts(), 2) << "its late answer must not be taken for the next order's";
}

}  // namespace
}  // namespace nuclio::processor
