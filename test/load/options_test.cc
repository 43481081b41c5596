// SPDX-License-Identifier: Apache-2.0
#include "load/options.h"

#include <gtest/gtest.h>

#include <vector>

namespace nuclio::load {
namespace {

TEST(ParsePlan, MakesTheRequest) {
  std::vector<const char*> arguments{"--address=127.0.0.1:80",
                                     "--requests",
                                     "5",
                                     "--method",
                                     "PUT",
                                     "--path",
                                     "/a?b=1",
                                     "--header",
                                     "A: b",
                                     "--body-size",
                                     "3",
                                     "--close-each"};
  auto plan = parse_plan(arguments);
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(plan->request,
            "PUT /a?b=1 HTTP/1.1\r\nHost: 127.0.0.1:80\r\nA: b\r\nConnection: close\r\nContent-Length: 3\r\n\r\nxxx");
  EXPECT_EQ(plan->requests, 5U);
  EXPECT_FALSE(plan->keep_alive);
}

TEST(ParsePlan, SaysWhatIsWrong) {
  const struct {
    std::vector<const char*> arguments;
    const char* what;
  } cases[] = {
      {{}, "--seconds or --requests must say where the run ends"},
      {{"--seconds=1"}, "--address must be an IPv4 address and a port, is \"\""},
      {{"--seconds=1", "--address=localhost:80"}, "--address must be an IPv4 address and a port, is \"localhost:80\""},
      {{"--seconds=1", "--address=127.0.0.1:99999"},
       "--address must be an IPv4 address and a port, is \"127.0.0.1:99999\""},
      {{"--connections=1.5"}, "--connections must be a whole number from 1 to 20000, is \"1.5\""},
      {{"--rate=fast"}, "--rate must be a number from 0 to 1000000, is \"fast\""},
      {{"--rate=nan"}, "--rate must be a number from 0 to 1000000, is \"nan\""},
      {{"--second=1"}, "there is no option \"--second=1\""},
      {{"--path"}, "--path needs a value"},
  };
  for (const auto& one : cases) {
    auto plan = parse_plan(one.arguments);
    ASSERT_FALSE(plan) << one.what;
    EXPECT_EQ(plan.error().what, one.what);
  }
}

}  // namespace
}  // namespace nuclio::load
