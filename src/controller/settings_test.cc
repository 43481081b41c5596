// SPDX-License-Identifier: Apache-2.0
#include "controller/settings.h"

#include <gmock/gmock.h>

namespace nuclio::controller {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<Settings> read(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) {
  return read_settings(arguments, environment);
}

TEST(ControllerSettings, HaveTheNamesOfNucliosController) {
  auto settings = read({"-namespace", "*", "--resync-interval=10m", "--evicted-pods-cleanup-interval", "0"},
                       {"HOSTNAME=pod-1", "NUCLIO_CONTROLLER_FUNCTION_OPERATOR_NUM_WORKERS=8",
                        "NUCLIO_CONTROLLER_EXTERNAL_IP_ADDRESSES=192.0.2.1,192.0.2.2"});
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_TRUE(settings->all_namespaces);
  EXPECT_EQ(settings->resync, 10min);
  EXPECT_EQ(settings->evicted_cleanup, 0s);
  EXPECT_EQ(settings->workers, 8U);
  EXPECT_EQ(settings->identity, "pod-1");
  EXPECT_THAT(settings->external_addresses, ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(settings->leader_election);
}

TEST(ControllerSettings, SayWhatIsWrong) {
  struct Case {
    std::vector<std::string> arguments;
    const char* complaint;
  };
  for (const Case& each : {Case{{"--namespace", "Bad_Name"}, "--namespace: "},
                           Case{{"--function-operator-num-workers=0"}, "must be a number from 1 to 64, is \"0\""},
                           Case{{"--resync-interval", "-1m"}, "must not be negative"},
                           Case{{"--leader-election", "yes"}, "must be true or false, is \"yes\""},
                           Case{{"--name-space", "x"}, "did you mean \"namespace\"?"}}) {
    auto settings = read(each.arguments);
    ASSERT_FALSE(settings) << each.complaint;
    EXPECT_THAT(settings.error().what, HasSubstr(each.complaint));
  }
}

}  // namespace
}  // namespace nuclio::controller
