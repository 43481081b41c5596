// SPDX-License-Identifier: Apache-2.0
#include "k8s/watch.h"

#include <gmock/gmock.h>

#include <vector>

namespace nuclio::k8s {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Lines, AreMadeOfPiecesThatAreCutAnywhere) {
  const std::string text = "one\n\ntwo, which is longer\r\nthree\nunfinished";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    Lines lines{Bytes{100}};
    std::vector<std::string> got;
    for (std::size_t at = 0; at < text.size(); at += size) {
      lines.add(std::string_view(text).substr(at, size));
      for (;;) {
        auto line = lines.next();
        ASSERT_TRUE(line);
        if (!*line) break;
        got.emplace_back(**line);
      }
    }
    EXPECT_THAT(got, ElementsAre("one", "two, which is longer\r", "three")) << size;
  }
}

TEST(Lines, AreNotLongerThanTheyMayBe) {
  Lines lines{Bytes{10}};
  lines.add("0123456789\n");
  EXPECT_EQ(**lines.next(), "0123456789");
  lines.add("01234567890");
  auto line = lines.next();
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().why, Why::too_large);
}

TEST(WatchLine, SaysWhatHappened) {
  auto added = parse_watch_line(R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})");
  ASSERT_TRUE(added) << added.error().what;
  EXPECT_EQ(added->type, WatchEvent::Type::changed);
  EXPECT_EQ(parse_watch_line(R"({"type":"DELETED","object":{"metadata":{"name":"a"}}})")->type,
            WatchEvent::Type::deleted);
  EXPECT_EQ(parse_watch_line(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}})")->type,
            WatchEvent::Type::bookmark);
}

TEST(WatchLine, SaysThatTheServerHasForgottenTheVersion) {
  auto event = parse_watch_line(
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version: 1"}})");
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().why, Why::precondition);
  EXPECT_EQ(event.error().what, "too old resource version: 1");
}

TEST(WatchLine, IsNothingElse) {
  for (const char* line : {"", "{", "null", "[]", R"({"type":"ADDED"})", R"({"type":"ADDED","object":[]})",
                           R"({"type":"ADDED","object":{}})", R"({"type":"SOMETHING","object":{}})",
                           R"({"type":1,"object":{}})", R"({"object":{"metadata":{"name":"a"}}})"}) {
    auto event = parse_watch_line(line);
    ASSERT_FALSE(event) << line;
    EXPECT_EQ(event.error().why, Why::unavailable) << line;
  }
}

}  // namespace
}  // namespace nuclio::k8s
