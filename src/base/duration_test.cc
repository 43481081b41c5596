// SPDX-License-Identifier: Apache-2.0
#include "base/duration.h"

#include <gtest/gtest.h>

namespace nuclio {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, ReadsWhatGoReads) {
  const std::pair<const char*, std::chrono::nanoseconds> cases[] = {
      {"0", 0ns},       {"0s", 0ns},        {"500ms", 500ms},
      {"1.5s", 1500ms}, {"1h30m", 90min},   {"-1.5h", -90min},
      {"+5s", 5s},      {".5s", 500ms},     {"1.s", 1s},
      {"100us", 100us}, {"3\u00b5s", 3us},  {"3\u03bcs", 3us},
      {"7ns", 7ns},     {"1m1ms", 60001ms}, {"0.3333333333333333333333h", 1199999999999ns}};
  for (const auto& [text, expected] : cases) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, expected) << text;
  }
}

TEST(ParseDuration, RefusesWhatIsNoDuration) {
  for (const char* text :
       {"", "5", "s", "-", "1x", "1 s", "ten seconds", ".s", "1s2", "9999999h", "99999999999999999999s"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(ParseDuration, SaysWhatItExpectedAndFound) {
  EXPECT_EQ(parse_duration("10 parsecs").error().what,
            "must be a duration such as 500ms, 10s or 1h30m, is \"10 parsecs\"");
}

TEST(FormatDuration, WritesWhatGoWrites) {
  const std::pair<std::chrono::nanoseconds, const char*> cases[] = {
      {0ns, "0s"},   {1ns, "1ns"},       {1100ns, "1.1\u00b5s"}, {500ms, "500ms"},     {1500ms, "1.5s"},
      {60s, "1m0s"}, {90min, "1h30m0s"}, {3600s, "1h0m0s"},      {-90min, "-1h30m0s"}, {61001ms, "1m1.001s"}};
  for (const auto& [duration, text] : cases) EXPECT_EQ(format_duration(duration), text);
  EXPECT_EQ(format_duration(std::chrono::nanoseconds::min()), "-2562047h47m16.854775808s");
}

}  // namespace
}  // namespace nuclio
