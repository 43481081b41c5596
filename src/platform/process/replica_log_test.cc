// SPDX-License-Identifier: Apache-2.0
// With the real log keeper.
#include "platform/process/replica_log.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/test_folder.h"
#include "loop/run.h"
#include "platform/process/log_reader.h"

namespace nuclio::platform::process {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class ReplicaLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<ReplicaLog> create(Bytes limit = kMaxLogFile) {
    auto log = ReplicaLog::create(loop_, NUCLIO_LOG_KEEPER, path_, limit);
    EXPECT_TRUE(log) << log.error().what;
    return std::move(*log);
  }
  static void write(const ReplicaLog& log, const std::string& text) {
    ASSERT_EQ(::write(log.descriptor(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // True when it was done in time.
  bool complete(ReplicaLog& log) {
    struct Complete {
      static Task<bool> run(ReplicaLog& log) {
        Deadline deadline = Deadline::in(10s);
        co_await log.complete(deadline);
        co_return !deadline.passed();
      }
    };
    return run_until_done(loop_, Complete::run(log));
  }
  void add(ReplicaLog& log, const std::string& message) {
    struct Add {
      static Task<bool> run(ReplicaLog& log, std::string message) {
        co_await log.add(std::move(message), Deadline::in(10s));
        co_return true;
      }
    };
    run_until_done(loop_, Add::run(log, message));
  }
  // Waits for what a process outside brings about.
  template <class Condition>
  bool eventually(Condition condition) {
    struct Wait {
      static Task<bool> run(Loop& loop, Condition& condition) {
        for (Deadline end = Deadline::in(10s); !condition() && !end.passed();) co_await loop.sleep(5ms);
        co_return condition();
      }
    };
    return run_until_done(loop_, Wait::run(loop_, condition));
  }
  // The only child of this process.
  pid_t keeper() const {
    std::ifstream file("/proc/self/task/" + std::to_string(::getpid()) + "/children");
    pid_t pid = 0;
    file >> pid;
    return pid;
  }

  TestFolder folder_;
  std::string path_ = folder_.at("f-1.log");
  Loop loop_;
};

TEST_F(ReplicaLogTest, IsCompleteOnceNobodyWritesAnyMore) {
  auto log = create();
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "line " + std::to_string(i) + "\n";
  write(*log, text);
  add(*log, "It ended");
  EXPECT_TRUE(complete(*log));
  EXPECT_THAT(folder_.read("f-1.log"), testing::StartsWith(text));
  EXPECT_THAT(folder_.read("f-1.log"), EndsWith("platform It ended\n"));
}

TEST_F(ReplicaLogTest, LosesNoLineOverTheTwoFilesThatItKeeps) {
  auto log = create(Bytes{200'000});
  std::string text;
  for (int i = 0; i < 30'000; ++i) {
    std::string line = "line " + std::to_string(i) + "\n";
    write(*log, line);
    text += line;
  }
  EXPECT_TRUE(complete(*log));
  std::string kept = folder_.read("f-1.log.1") + folder_.read("f-1.log");
  EXPECT_THAT(text, EndsWith(kept));
  EXPECT_GT(kept.size(), 200'000u - (64u << 10));
  EXPECT_LE(folder_.read("f-1.log").size(), 200'000u);
}

TEST_F(ReplicaLogTest, GoesOnWithANewKeeperWhenOneIsKilled) {
  auto log = create();
  write(*log, "one\n");
  EXPECT_TRUE(eventually([&] { return folder_.read("f-1.log") == "one\n"; }));
  pid_t killed = keeper();
  ASSERT_GT(killed, 0);
  ::kill(killed, SIGKILL);
  // Until then it may read once more, and take with it what it read.
  EXPECT_TRUE(eventually([&] { return keeper() > 0 && keeper() != killed; }));
  write(*log, "two\n");
  EXPECT_TRUE(complete(*log));
  EXPECT_EQ(folder_.read("f-1.log"), "one\ntwo\n");
}

TEST_F(ReplicaLogTest, SaysWhenThereIsNoSuchProgram) {
  auto log = ReplicaLog::create(loop_, "/nowhere/log_keeper", path_);
  ASSERT_FALSE(log);
  EXPECT_THAT(log.error().what, HasSubstr("/nowhere/log_keeper"));
}

}  // namespace
}  // namespace nuclio::platform::process
