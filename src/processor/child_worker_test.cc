// SPDX-License-Identifier: Apache-2.0
#include "processor/child_worker.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "loop/run.h"
#include "loop/stream.h"
#include "processor/launch.h"
#include "processor/scripted_peer.h"
#include "processor/test_owner.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

// Workers that are shell scripts: good enough to start, to fall silent and to die in many ways.
class ChildWorkerTest : public testing::Test {
 protected:
  ChildWorkerTest() {
    log::configure({.level = log::Level::error, .descriptor = -1});
    std::string name = testing::TempDir() + "start-frame-XXXXXX";
    Descriptor file{::mkstemp(name.data())};
    start_frame = name;
    std::string bytes = encoded({.type = NUCLIO_WIRE_START, .numbers = {1}, .strings = {"", "", "sh"}});
    CHECK(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  ~ChildWorkerTest() override {
    std::filesystem::remove(start_frame);
    log::configure({});
  }

  // A worker that says that it is ready and goes on with the script; its socket is descriptor 3.
  Result<std::unique_ptr<Worker>> start_ready(const std::string& script) {
    return start("cat " + start_frame + " >&3\n" + script);
  }
  Result<std::unique_ptr<Worker>> start(const std::string& script, Deadline deadline = Deadline::in(10s)) {
    TRY(auto sockets, socket_pair());
    ChildOptions options{.argv = {"/bin/sh", "-c", script}, .env = {"PATH=/usr/bin:/bin"}, .directory = "/"};
    options.descriptors.push_back({sockets.second.get(), Launch::kSocket});
    TRY(Child child, Child::spawn(loop, options));
    sockets.second.reset();
    TRY(auto worker, run_until_done(loop, ChildWorker::start(loop, function_log, std::move(child),
                                                             wire::socket_port(loop, std::move(sockets.first)),
                                                             {WorkerIndex{3}, "http", "web"}, deadline)));
    worker->belongs_to(owner);
    return worker;
  }
  Result<Response> call(Worker& worker) {
    event.id = "e1";
    return run_until_done(loop, ask(loop, worker, event));
  }
  void until_ended(Worker& worker) {
    run_until_done(loop, until(loop, [&] { return worker.ended(); }));
  }
  Task<bool> terminated(Worker& worker, Deadline deadline) {
    co_await worker.terminate(deadline);
    co_return true;
  }

  Loop loop;
  FunctionLog function_log{"hello", log::Level::debug};
  std::string start_frame;
  TestOwner owner;
  Event event;
};

// Reads what it is sent, and never answers.
constexpr const char* kSilent = "exec cat <&3 >/dev/null";

TEST_F(ChildWorkerTest, IsUsableOnceItSaysThatItIsReady) {
  auto worker = start_ready(kSilent);
  ASSERT_TRUE(worker) << worker.error().what;
  EXPECT_TRUE((*worker)->usable());
  EXPECT_EQ((*worker)->index().value(), 3);
}

TEST_F(ChildWorkerTest, SaysHowItEndedWhenItNeverGotReady) {
  auto worker = start("exit 7");
  ASSERT_FALSE(worker);
  EXPECT_EQ(worker.error().why, Why::unavailable);
  EXPECT_EQ(worker.error().what, "worker 3 exited with code 7 before it was ready; what it printed is in the log");
}

TEST_F(ChildWorkerTest, GivesUpOneThatDoesNotGetReady) {
  auto worker = start("exec sleep 1000", Deadline::in(10ms));
  ASSERT_FALSE(worker);
  EXPECT_EQ(worker.error().why, Why::timeout);
}

TEST_F(ChildWorkerTest, SaysHowItWasKilledWhileItHandledAnEvent) {
  auto worker = start_ready("head -c 1 <&3 >/dev/null; kill -9 $$");
  ASSERT_TRUE(worker);
  auto response = call(**worker);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::unavailable);
  EXPECT_EQ(response.error().what, "worker 3 was killed by signal 9 (Killed) while it handled event e1");
  EXPECT_FALSE((*worker)->usable());
}

TEST_F(ChildWorkerTest, NoticesItsEndAlthoughAChildOfItsOwnHoldsTheSocket) {
  auto worker = start_ready("head -c 1 <&3 >/dev/null; sleep 1000 & exit 4");
  ASSERT_TRUE(worker);
  auto response = call(**worker);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().what, "worker 3 exited with code 4 while it handled event e1");
}

TEST_F(ChildWorkerTest, TellsOfItsEndBeforeTheTimeOfWhoeverWaitsIsOver) {
  auto worker = start_ready("head -c 1 <&3 >/dev/null; exec 3>&-; exec sleep 1000");
  ASSERT_TRUE(worker);
  const Call call{.deadline = Deadline::in(900ms)};
  auto response = run_until_done(loop, ask(loop, **worker, event, call));
  EXPECT_FALSE(call.deadline.passed());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().what.find("worker 3 closed its socket and went on, so it was killed"), 0u)
      << response.error().what;
}

TEST_F(ChildWorkerTest, TellsWhenItEndsWhileItIsIdle) {
  std::string go = start_frame + ".go";
  auto worker = start_ready("while [ ! -e " + go + " ]; do sleep 0.001; done; exit 0");
  ASSERT_TRUE(worker);
  std::ofstream{go} << "go";
  until_ended(**worker);
  std::filesystem::remove(go);
  EXPECT_EQ(owner.changes, 1);
}

TEST_F(ChildWorkerTest, IsKilledWhenItIsLateAndSoonWhenItDoesNotLetGo) {
  for (GiveUp why : {GiveUp::late, GiveUp::unwanted}) {
    auto worker = start_ready(kSilent);
    ASSERT_TRUE(worker);
    Call call;
    Job job{loop, event, call, Deadline::never()};
    ASSERT_TRUE((*worker)->take(job));
    EXPECT_FALSE((*worker)->take_back(job));
    (*worker)->give_up(job, why);
    EXPECT_FALSE((*worker)->usable());
    until_ended(**worker);
    EXPECT_FALSE(job.answered());
  }
  EXPECT_EQ(owner.changes, 2);
}

TEST_F(ChildWorkerTest, IsKilledWhenItTalksNonsense) {
  auto worker = start_ready("head -c 1 <&3 >/dev/null; head -c 64 /dev/zero >&3; exec sleep 1000");
  ASSERT_TRUE(worker);
  auto response = call(**worker);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::unavailable);
  EXPECT_TRUE(response.error().what.starts_with("worker 3 was killed because the worker sent bytes that are no frame"))
      << response.error().what;
}

TEST_F(ChildWorkerTest, TerminatesNoLaterThanTheDeadline) {
  auto worker = start_ready(kSilent);
  ASSERT_TRUE(worker);
  auto begun = std::chrono::steady_clock::now();
  run_until_done(loop, terminated(**worker, Deadline::in(20ms)));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

TEST_F(ChildWorkerTest, TakesWhatItStartedAlongWhenItGoes) {
  std::string pid_file = start_frame + ".pid";
  auto worker = start_ready("sleep 1000 & echo $! >" + pid_file + "; head -c 1 <&3 >/dev/null; exit 0");
  ASSERT_TRUE(worker);
  (void)call(**worker);
  pid_t pid = 0;
  std::ifstream{pid_file} >> pid;
  std::filesystem::remove(pid_file);
  ASSERT_GT(pid, 1);
  worker->reset();
  // It is a zombie until its new parent reaps it, which is none of our business; a zombie takes no command line along.
  std::string command_line;
  std::getline(std::ifstream{"/proc/" + std::to_string(pid) + "/cmdline"}, command_line);
  EXPECT_EQ(command_line, "");
}

}  // namespace
}  // namespace nuclio::processor
