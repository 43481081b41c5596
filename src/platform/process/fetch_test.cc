// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "builder/test_archive.h"
#include "platform/process/process_platform_fixture.h"

namespace nuclio::platform::process {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace json = boost::json;
using builder::pack;
using spec::FunctionState;

class FetchedCode : public ProcessPlatformTest {
 protected:
  static json::value tale_in(const std::string& archive, json::object attributes = {}) {
    json::object build{{"path", archive}, {"codeEntryAttributes", std::move(attributes)}};
    return json::object{{"metadata", {{"name", "f"}, {"namespace", "nuclio"}}},
                        {"spec", {{"build", std::move(build)}}}};
  }
};

TEST_F(FetchedCode, IsDeployedWithTheConfigurationThatCameWithIt) {
  const std::string archive = folder_.write(
      "code.zip", pack({{"sub/main.tale", "once"},
                        {"sub/function.yaml", "spec: {env: [{name: GREETING, value: packed}], description: told}"}},
                       "zip"));
  ASSERT_TRUE(deploy(tale_in(archive, {{"workDir", "sub"}, {"password", "hush"}})));
  EXPECT_EQ(status().state, FunctionState::building);
  auto outcome = settled("f");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_TRUE(eventually([&] { return log_of(replicas()[0]) == "the tale is once, packed\n"; }));
  const auto config = *platform_->function(id("f"));
  EXPECT_EQ(config.spec.description, "told");
  EXPECT_EQ(config.spec.runtime, "tale");
  EXPECT_EQ(config.spec.build.path, archive);
  EXPECT_EQ(config.metadata.resource_version, "1");
  EXPECT_EQ(status().logs.at(0).at("message").as_string(), "Fetching " + archive);
  EXPECT_FALSE(folder_.has("home/functions/nuclio/f/1/fetched"));
  EXPECT_THAT(folder_.read("home/functions/nuclio/f/1/processor.yaml"), Not(HasSubstr("hush")));
}

TEST_F(FetchedCode, LeavesTheOldRevisionServingWhenItCannotBeHad) {
  const std::string archive = folder_.write("code.zip", pack({{"main.tale", "once"}}, "zip"));
  ASSERT_TRUE(deploy_and_wait(tale_in(archive)));
  folder_.write("code.zip", pack({{"../main.tale", "twice"}}, "zip"));
  auto outcome = deploy_and_wait(tale_in(archive));
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().what, HasSubstr(archive + ": the name \"../main.tale\" must not have \"..\" in it"));
  EXPECT_EQ(status().state, FunctionState::error);
  EXPECT_THAT(status().message, HasSubstr("The version that was deployed before goes on serving"));
  EXPECT_TRUE(accepts(status().http_port));
  folder_.write("code.zip", pack({{"main.py", "x"}}, "zip"));
  outcome = deploy_and_wait(tale_in(archive));
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().what, HasSubstr(archive + " holds no function"));
}

}  // namespace
}  // namespace nuclio::platform::process
