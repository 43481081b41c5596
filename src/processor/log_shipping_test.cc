// SPDX-License-Identifier: Apache-2.0
#include "processor/log_shipping.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "http/headers.h"

namespace nuclio::processor {
namespace {

LogLine line(std::string message, std::string variables = "") {
  return {std::chrono::system_clock::time_point{std::chrono::microseconds{1'700'000'000'123'456}}, log::Level::info,
          std::move(message), std::move(variables)};
}

std::string shipped(const LogLine& one) { return ship_logs(std::span(&one, 1), "processor.http").json; }

TEST(LogShipping, WritesLevelTimeNameMessageAndVariables) {
  EXPECT_EQ(shipped(line("hello", R"({"a": 1, "b": {"c": [true]}})")),
            R"([{"level": "info", "time": 1700000000123.456, "name": "processor.http", "message": "hello", )"
            R"("a": 1, "b": {"c":[true]}}])");
}

TEST(LogShipping, SendsAnEmptyArrayWithoutLines) { EXPECT_EQ(ship_logs({}, "x").json, "[]"); }

TEST(LogShipping, KeepsVariablesFromHidingTheLineItself) {
  auto parsed = boost::json::parse(shipped(line("true one", R"({"message": "other", "level": 7})")));
  const auto& object = parsed.at(0).as_object();
  EXPECT_EQ(object.at("message"), "true one");
  EXPECT_EQ(object.at("message_"), "other");
  EXPECT_EQ(object.at("level"), "info");
  EXPECT_EQ(object.at("level_"), 7);
}

TEST(LogShipping, IsAHeaderValueWhateverTheHandlerLogged) {
  const std::string messages[] = {"two\r\nlines", "tab\t\x01\x7f", "żółw 🐢", "\xff\xfe not utf-8", "quote \" \\", ""};
  for (const std::string& message : messages) {
    std::string json = shipped(line(message, R"({"turtle": "🐢"})"));
    EXPECT_TRUE(http::is_header_value(json)) << json;
    auto parsed = boost::json::parse(json);
    EXPECT_EQ(parsed.at(0).at("turtle"), "🐢");
    if (message.starts_with('\xff')) continue;
    EXPECT_EQ(parsed.at(0).at("message"), message.c_str());
  }
}

TEST(LogShipping, IgnoresVariablesThatAreNoObject) {
  for (const char* variables : {"[1]", "{broken", "null", "7"})
    EXPECT_EQ(shipped(line("m", variables)), shipped(line("m"))) << variables;
}

TEST(LogShipping, KeepsAsManyWholeLinesAsFit) {
  std::vector<LogLine> lines(5, line(std::string(900, 'x')));
  auto logs = ship_logs(lines, "n");
  EXPECT_EQ(logs.left_out, 1u);
  EXPECT_LE(logs.json.size(), kLogsLimit.count);
  EXPECT_EQ(boost::json::parse(logs.json).as_array().size(), 4u);
}

TEST(LogShipping, MakesExactUseOfItsRoom) {
  LogLine one = line("m");
  std::size_t size = ship_logs(std::span(&one, 1), "n").json.size();
  EXPECT_EQ(ship_logs(std::span(&one, 1), "n", Bytes{size}).left_out, 0u);
  auto cut = ship_logs(std::span(&one, 1), "n", Bytes{size - 1});
  EXPECT_EQ(cut.left_out, 1u);
  EXPECT_EQ(cut.json, "[]");
}

}  // namespace
}  // namespace nuclio::processor
