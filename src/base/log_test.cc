// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gtest/gtest.h>

namespace nuclio::log {
namespace {

using namespace std::chrono_literals;
const auto kNoon = std::chrono::system_clock::time_point{1700000000123ms};

std::string line(Options options, std::string_view logger, std::vector<Field> fields) {
  return format(options, logger, Level::info, kNoon, "hello \"you\"", fields);
}

TEST(LogFormat, WritesTheConsoleLineThatNucliosUsersKnow) {
  EXPECT_EQ(line({}, "processor", {{"worker", 3}, {"path", "/a"}}),
            "23.11.14 22:13:20.123 (I)                 processor hello \"you\" {\"worker\": 3, \"path\": \"/a\"}\n");
}

TEST(LogFormat, TellsMomentsApartWithinASecondAndBeyond) {
  auto at = [](std::chrono::system_clock::time_point time) {
    return format({}, "p", Level::info, time, "", {}).substr(0, 22);
  };
  EXPECT_EQ(at(kNoon), "23.11.14 22:13:20.123 ");
  EXPECT_EQ(at(kNoon - 116ms), "23.11.14 22:13:20.007 ");
  EXPECT_EQ(at(kNoon + 1s), "23.11.14 22:13:21.123 ");
  EXPECT_EQ(at(kNoon), "23.11.14 22:13:20.123 ");
  EXPECT_EQ(at(std::chrono::system_clock::time_point{-1ms}), "69.12.31 23:59:59.999 ");
}

TEST(LogFormat, ColoursTheLevelAlone) {
  EXPECT_EQ(line({.colour = Colour::yes}, "processor", {}),
            "23.11.14 22:13:20.123 \x1b[36m(I)\x1b[0m                 processor hello \"you\"\n");
}

TEST(LogFormat, KeepsTheTailOfALongLoggerName) {
  EXPECT_NE(line({}, "processor.http.default-http.worker0", {}).find("(I) http.default-http.worker0 hello"),
            std::string::npos);
}

TEST(LogFormat, WritesOneJsonObjectALine) {
  EXPECT_EQ(line({.encoding = Encoding::json}, "p", {{"ok", true}, {"ratio", 0.5}}),
            "{\"time\":1700000000123,\"level\":\"info\",\"name\":\"p\",\"message\":\"hello \\\"you\\\"\","
            "\"ok\":true,\"ratio\":0.5}\n");
}

TEST(JsonString, EscapesControlsAndReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(json_string("a\n\x01"), "\"a\\n\\u0001\"");
  EXPECT_EQ(json_string("gr\xC3\xBC\xC3\x9F"), "\"gr\xC3\xBC\xC3\x9F\"");
  EXPECT_EQ(json_string("\xC3("), "\"\\ufffd(\"");
  EXPECT_EQ(json_string("\xED\xA0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");
}

TEST(ParseLevel, TakesNucliosWordsAndNothingElse) {
  EXPECT_EQ(parse_level("WARNING"), Level::warn);
  EXPECT_EQ(parse_level("debug"), Level::debug);
  EXPECT_EQ(parse_level("loud"), std::nullopt);
}

}  // namespace
}  // namespace nuclio::log
