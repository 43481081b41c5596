// SPDX-License-Identifier: Apache-2.0
#include "loop/child.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "loop/file_watch.h"
#include "loop/run.h"
#include "loop/signals.h"
#include "loop/stream.h"

namespace nuclio {
namespace {

using namespace std::chrono_literals;

ChildOptions shell(std::string script) {
  return {.argv = {"sh", "-c", std::move(script)}, .env = {"PATH=" + std::string(getenv("PATH"))}};
}

Task<std::optional<ExitStatus>> run_shell(Loop& loop, std::string script) {
  ChildOptions options = shell(std::move(script));
  auto child = Child::spawn(loop, options);
  EXPECT_TRUE(child) << child.error().what;
  co_return co_await child->exited(Deadline::in(10s));
}

TEST(Child, TellsHowItEnded) {
  Loop loop;
  EXPECT_EQ(run_until_done(loop, run_shell(loop, "exit 3"))->text(), "exited with code 3");
  EXPECT_EQ(run_until_done(loop, run_shell(loop, "kill -9 $$"))->text(), "was killed by signal 9 (Killed)");
}

TEST(Child, SaysWhichProgramIsMissing) {
  Loop loop;
  auto child = Child::spawn(loop, {.argv = {"no-such-program"}});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().why, Why::not_found);
  EXPECT_EQ(child.error().what, "starting no-such-program: No such file or directory");
}

TEST(Child, PassesDescriptorsEvenWhenTheirNumbersCross) {
  Loop loop;
  auto first = make_pipe();
  auto second = make_pipe();
  int a = first->write.get();
  int b = second->write.get();
  ChildOptions options = shell("echo one >&" + std::to_string(b) + "; echo two >&" + std::to_string(a));
  if (a > 9 || b > 9) options.argv = {"bash", "-c", options.argv[2]};  // dash knows single digits only
  options.descriptors = {{a, b}, {b, a}};
  auto child = Child::spawn(loop, options);
  ASSERT_TRUE(child) << child.error().what;
  char text[16] = "";
  EXPECT_EQ(read(first->read.get(), text, sizeof text), 4);
  EXPECT_STREQ(text, "one\n");
}

TEST(Child, TakesItsWholeGroupWithIt) {
  Loop loop;
  auto pipe = make_pipe();
  {
    ChildOptions options = shell("sleep 1000 & echo $!; wait");
    options.descriptors = {{pipe->write.get(), 1}};
    auto child = Child::spawn(loop, options);
    ASSERT_TRUE(child);
    pipe->write.reset();
    char text[16] = "";
    ASSERT_GT(read(pipe->read.get(), text, sizeof text), 0);
    EXPECT_EQ(kill(atoi(text), 0), 0);
  }
  // The grandchild held the pipe's other end: its end is what ends this read.
  char rest[16];
  EXPECT_EQ(read(pipe->read.get(), rest, sizeof rest), 0);
}

Task<bool> ends_and_keeps_its_number(Loop& loop) {
  ChildOptions options = shell("exit 0");
  auto child = Child::spawn(loop, options);
  (void)co_await child->exited(Deadline::in(10s));
  co_return kill(child->pid(), 0) == 0;
}

TEST(Child, KeepsItsNumberUntilItIsDestroyed) {
  Loop loop;
  EXPECT_TRUE(run_until_done(loop, ends_and_keeps_its_number(loop)));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a zombie is left";
}

Task<int> raise_and_wait(Signals& signals) {
  kill(getpid(), SIGUSR2);
  co_return co_await signals.next();
}

TEST(Signals, ArriveAsValues) {
  Loop loop;
  Signals signals{loop, {SIGUSR2}};
  EXPECT_EQ(run_until_done(loop, raise_and_wait(signals)), SIGUSR2);
}

Task<std::optional<ExitStatus>> interrupt(Loop& loop) {
  ChildOptions options = shell("exec sleep 1000");
  auto child = Child::spawn(loop, options);
  child->signal(SIGUSR2);
  co_return co_await child->exited(Deadline::in(10s));
}

TEST(Signals, StayUnblockedInChildren) {
  Loop loop;
  Signals signals{loop, {SIGUSR2}};
  EXPECT_EQ(run_until_done(loop, interrupt(loop))->signal, SIGUSR2);
}

Task<std::pair<bool, bool>> change_a_file(FileWatch& watch, std::string path) {
  bool before = co_await watch.changed(Deadline::in(1ms));
  std::ofstream(path) << "x";
  bool after = co_await watch.changed(Deadline::in(10s));
  co_return std::pair{before, after};
}

TEST(FileWatch, TellsOfChangesOnly) {
  Loop loop;
  char folder[] = "/tmp/nuclio-watch-XXXXXX";
  ASSERT_TRUE(mkdtemp(folder));
  auto watch = FileWatch::create(loop);
  ASSERT_TRUE(watch && watch->add(folder));
  std::string path = std::string(folder) + "/file";
  EXPECT_EQ(run_until_done(loop, change_a_file(*watch, path)), (std::pair{false, true}));
  unlink(path.c_str());
  rmdir(folder);
}

}  // namespace
}  // namespace nuclio
