// SPDX-License-Identifier: Apache-2.0
#include "http/headers.h"

#include <gtest/gtest.h>

namespace nuclio::http {
namespace {

using namespace std::string_literals;

std::string listed(const Headers& headers) {
  std::string all;
  for (Header field : headers) all += std::string(field.name) + "=" + std::string(field.value) + ";";
  return all;
}

TEST(Headers, KeepOrderSpellingAndRepetition) {
  Headers headers{{"X-b", "1"}, {"Set-Cookie", "a=b; c: d"}, {"x-A", ""}};
  EXPECT_TRUE(headers.add("set-cookie", "e"));
  EXPECT_EQ(listed(headers), "X-b=1;Set-Cookie=a=b; c: d;x-A=;set-cookie=e;");
  EXPECT_EQ(headers.text(), "X-b: 1\r\nSet-Cookie: a=b; c: d\r\nx-A: \r\nset-cookie: e\r\n");
  EXPECT_EQ(headers.get("SET-COOKIE"), "a=b; c: d");
  EXPECT_TRUE(headers.has("X-a"));
  EXPECT_EQ(headers.get("X-a"), "");
  EXPECT_FALSE(headers.has("X"));
  EXPECT_TRUE(headers.set("Set-cookie", "f"));
  EXPECT_EQ(listed(headers), "X-b=1;x-A=;Set-cookie=f;");
  headers.remove("x-B");
  EXPECT_EQ(listed(headers), "x-A=;Set-cookie=f;");
}

TEST(Headers, LeaveOutWhatWouldBecomeAnotherHeaderOrAnotherAnswer) {
  for (const auto& [name, value] : std::initializer_list<std::pair<std::string, std::string>>{
           {"X", "a\r\nSet-Cookie: b"},
           {"X", "a\nb"},
           {"X", "a\rb"},
           {"X", "a\0b"s},
           {"X", "a\x01"},
           {"X: y\r\nZ", "a"},
           {"X Y", "a"},
           {"X:", "a"},
           {"", "a"},
           {"Ä", "a"},
       }) {
    Headers headers;
    EXPECT_FALSE(headers.add(name, value)) << name << ": " << value;
    EXPECT_TRUE(headers.empty());
  }
}

TEST(Headers, CutBlanksAroundAValueAndTakeUtf8) {
  Headers headers{{"X", " \t a b\t "}, {"Y", "grüße"}};
  EXPECT_EQ(headers.text(), "X: a b\r\nY: grüße\r\n");
}

TEST(HasToken, LooksAtWholeListItemsInAnyCase) {
  EXPECT_TRUE(has_token("close", "close"));
  EXPECT_TRUE(has_token("keep-alive , Close", "close"));
  EXPECT_FALSE(has_token("closed", "close"));
  EXPECT_FALSE(has_token("not close", "close"));
  EXPECT_FALSE(has_token("", "close"));
}

}  // namespace
}  // namespace nuclio::http
