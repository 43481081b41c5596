// SPDX-License-Identifier: Apache-2.0
#include "processor/options.h"

#include <gtest/gtest.h>

#include <vector>

namespace nuclio::processor {
namespace {

TEST(ParseOptions, TakesOneDashOrTwoAndBothWaysToGiveAValue) {
  std::vector<const char*> arguments{
      "-config",    "a.yaml", "--platform-config=b.yaml", "--code", "/c", "-listen-fd=7", "--status-fd", "8",
      "--runtimes", "/r"};
  auto options = parse_options(arguments);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->config, "a.yaml");
  EXPECT_EQ(options->platform_config, "b.yaml");
  EXPECT_EQ(options->code, "/c");
  EXPECT_EQ(options->listen_socket, 7);
  EXPECT_EQ(options->status, 8);
  EXPECT_EQ(options->runtimes, "/r");
  EXPECT_FALSE(options->version);
}

TEST(ParseOptions, HasTheContainersPathsAsDefaults) {
  auto options = parse_options({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->config, "/etc/nuclio/config/processor/processor.yaml");
  EXPECT_EQ(options->platform_config, "/etc/nuclio/config/platform/platform.yaml");
  EXPECT_FALSE(options->listen_socket);
}

struct Wrong {
  std::vector<const char*> arguments;
  const char* message;
};

class ParseWrongOptions : public testing::TestWithParam<Wrong> {};

TEST_P(ParseWrongOptions, SaysWhatIsNotUnderstood) {
  auto options = parse_options(GetParam().arguments);
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().why, Why::invalid);
  EXPECT_EQ(options.error().what, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ParseWrongOptions,
    testing::Values(Wrong{{"--confg", "x"},
                          "there is no option \"--confg\"; did you mean \"config\"?; processor --help lists them"},
                    Wrong{{"x"}, "there is no option \"x\"; processor --help lists them"},
                    Wrong{{"--config"}, "--config needs a value"}, Wrong{{"--version=1"}, "--version takes no value"},
                    Wrong{{"--listen-fd", "-1"}, "--listen-fd must be the number of an open descriptor, is \"-1\""},
                    Wrong{{"--status-fd=2x"}, "--status-fd must be the number of an open descriptor, is \"2x\""}));

}  // namespace
}  // namespace nuclio::processor
