// SPDX-License-Identifier: Apache-2.0
#include "platform/status_log.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace nuclio::platform {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

TEST(StatusLog, CountsPartsOfMilliseconds) {
  std::vector<json::object> logs;
  add_log_line(logs, "info", "Compiling", SystemTime{1'700'000'000'123'456us});
  EXPECT_EQ(logs.at(0), (json::object{{"level", "info"}, {"message", "Compiling"}, {"time", 1700000000123.456}}));
}

TEST(StatusLog, GivesEachLineALaterTimeThanTheOneBefore) {
  std::vector<json::object> logs{{{"message", "stored by a program that knew no parts"}, {"time", 1700000000200}}};
  for (int i = 0; i < 3; ++i) add_log_line(logs, "info", "at once", SystemTime{1'700'000'000'123ms});
  for (std::size_t i = 1; i < logs.size(); ++i)
    EXPECT_GT(logs[i].at("time").to_number<double>(), logs[i - 1].at("time").to_number<double>());
  EXPECT_LT(logs.back().at("time").as_double(), 1700000000200.01);
}

TEST(StatusLog, KeepsTheLastLines) {
  std::vector<json::object> logs;
  for (int i = 0; i < 600; ++i) add_log_line(logs, "info", std::to_string(i));
  ASSERT_EQ(logs.size(), 500U);
  EXPECT_EQ(logs.front().at("message"), "100");
  EXPECT_EQ(logs.back().at("message"), "599");
}

}  // namespace
}  // namespace nuclio::platform
