// SPDX-License-Identifier: Apache-2.0
// What a platform makes of what an earlier one left behind.
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <csignal>
#include <filesystem>

#include "loop/child.h"
#include "platform/process/process_platform_fixture.h"

namespace nuclio::platform::process {
namespace {

using spec::FunctionState;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ResumeTest : public ProcessPlatformTest {
 protected:
  // As a crash does: nothing is drained, and nothing stored.
  void crash() { platform_.reset(); }

  // A process as an earlier platform started it, for all that can be told from outside.
  Child leftover(std::vector<std::string> argv, std::vector<std::string> env = {}) {
    ChildOptions options;
    options.argv = std::move(argv);
    options.env = std::move(env);
    options.env.emplace_back("PATH=/usr/bin:/bin");
    auto child = Child::spawn(loop_, options);
    EXPECT_TRUE(child) << child.error().what;
    return std::move(*child);
  }
  Child old_processor(const std::string& function) {
    std::string revision = folder_.at("home/functions/nuclio/" + function + "/1");
    return leftover({"/bin/sh", folder_.at("bin/processor"), "--config", revision + "/processor.yaml", "--code",
                     revision + "/code"});
  }
};

TEST_F(ResumeTest, SaysThatADeployWasCutShort) {
  ASSERT_TRUE(deploy(tale("f", "mute")));
  EXPECT_TRUE(eventually([&] { return status().state == FunctionState::waiting_for_resource_configuration; }));
  crash();
  open();
  EXPECT_EQ(status().state, FunctionState::error);
  EXPECT_EQ(status().message, "the dashboard ended while this was being deployed; deploy it again");
  EXPECT_EQ(settled("f").error().what, status().message);
  EXPECT_FALSE(folder_.has("home/functions/nuclio/f/1"));
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  EXPECT_EQ(status().state, FunctionState::ready);
}

TEST_F(ResumeTest, GoesOnWithTheVersionBeforeOneThatWasCutShort) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  int port = status().http_port;
  ASSERT_TRUE(deploy(tale("f", "mute")));
  EXPECT_TRUE(eventually([&] { return status().state == FunctionState::waiting_for_resource_configuration; }));
  crash();
  open();
  EXPECT_EQ(status().state, FunctionState::error);
  EXPECT_THAT(status().message, HasSubstr("deploy it again\nThe version that was deployed before goes on serving."));
  EXPECT_EQ(status().http_port, port);
  EXPECT_TRUE(eventually([&] { return !replicas().empty() && log_of(replicas()[0]) == "the tale is one, \n"; }));
  EXPECT_FALSE(folder_.has("home/functions/nuclio/f/2"));
}

TEST_F(ResumeTest, DoesWhatWasAskedForWhenNothingIsMissing) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  ASSERT_TRUE(deploy_and_wait(tale("g", "one"), "g"));
  ASSERT_TRUE(want("g", DesiredState::scaled_to_zero));
  ASSERT_TRUE(run_until_done(loop_, platform_->set_desired_state(id("f"), DesiredState::scaled_to_zero)));
  ASSERT_TRUE(run_until_done(loop_, platform_->set_desired_state(id("g"), DesiredState::ready)));
  crash();
  open();
  EXPECT_EQ(status("f").state, FunctionState::scaled_to_zero);
  EXPECT_EQ(status("f").http_port, 0);
  EXPECT_TRUE(eventually([&] { return status("g").state == FunctionState::ready; }));
}

TEST_F(ResumeTest, TakesAwayWhatIsNobodys) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  crash();
  folder_.write("home/functions/nuclio/f/7/code/main.tale", "never served");
  folder_.write("home/functions/nuclio/gone/1/code/main.tale", "deleted");
  folder_.write("home/logs/nuclio/gone/gone-12345678.log", "deleted");
  folder_.write("home/cache/cpp/.building.x/a.o", "half");
  folder_.write("home/cache/cpp/abc/handler.so", "whole");
  folder_.write("home/trash/1-1/file", "half removed");
  open();
  for (const char* name :
       {"functions/nuclio/f/7", "functions/nuclio/gone", "logs/nuclio/gone", "cache/cpp/.building.x"})
    EXPECT_FALSE(folder_.has(std::string("home/") + name)) << name;
  for (const char* name : {"functions/nuclio/f/1", "logs/nuclio/f", "cache/cpp/abc/handler.so"})
    EXPECT_TRUE(folder_.has(std::string("home/") + name)) << name;
  EXPECT_TRUE(eventually([&] { return std::filesystem::is_empty(folder_.at("home/trash")); }));
}

TEST_F(ResumeTest, StartsNothingWhileAProcessorOfBeforeIsThere) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  ASSERT_TRUE(deploy_and_wait(tale("g", "one"), "g"));
  crash();
  Child old = old_processor("f");
  open();
  EXPECT_EQ(status().state, FunctionState::unhealthy);
  EXPECT_THAT(status().message, HasSubstr("once its processes of before have finished what they had"));
  EXPECT_TRUE(eventually([&] { return status("g").state == FunctionState::ready; }));
  EXPECT_EQ(status().state, FunctionState::unhealthy);
  // A deploy meanwhile waits for the same.
  ASSERT_TRUE(deploy(tale("f", "two")));
  EXPECT_TRUE(eventually([&] { return status().state == FunctionState::waiting_for_resource_configuration; }));
  EXPECT_TRUE(old.running());
  old.signal_group(SIGKILL);
  ASSERT_TRUE(settled("f"));
  EXPECT_EQ(status().state, FunctionState::ready);
  ASSERT_THAT(replicas(), SizeIs(1));
  EXPECT_TRUE(eventually([&] { return log_of(replicas()[0]) == "the tale is two, \n"; }));
}

TEST_F(ResumeTest, KillsWhatBuildsForNobody) {
  crash();
  std::string mark = std::string(kBuildVariable) + "=" + folder_.at("home/functions/nuclio/f/1");
  Child mine = leftover({"sleep", "1000"}, {mark});
  Child others = leftover({"sleep", "1000"}, {std::string(kBuildVariable) + "=/elsewhere/functions/nuclio/f/1"});
  open();
  EXPECT_TRUE(eventually([&] { return !mine.running(); }));
  EXPECT_TRUE(others.running());
}

}  // namespace
}  // namespace nuclio::platform::process
