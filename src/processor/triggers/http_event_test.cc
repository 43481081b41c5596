// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/http_event.h"

#include <gtest/gtest.h>

namespace nuclio::processor {
namespace {

using Fields = std::vector<http::Header>;
using Pairs = std::vector<wire::Pair>;

http::Request request(std::string_view method, std::string_view path, std::string_view query, const Fields& headers,
                      std::string_view body) {
  http::Request request;
  request.method = method;
  request.target = request.path = path;
  request.query = query;
  for (const http::Header& header : headers) request.headers.add(header);
  request.body = body;
  return request;
}

Pairs pairs(std::span<const wire::Pair> span) { return {span.begin(), span.end()}; }

class HttpEventTest : public testing::Test {
 protected:
  EventIds ids_;
  HttpEvent made_;
  const Event& event(const http::Request& request) {
    EXPECT_TRUE(made_.fill(request, "http", "web", ids_));
    return made_.event();
  }
};

TEST_F(HttpEventTest, SaysWhatTheRequestSaid) {
  auto now = std::chrono::system_clock::now();
  auto in = request("PATCH", "/a/b", "", {{"Content-Type", "text/x"}, {"X-One", "1"}}, "body");
  in.target = "/a/b?";
  const Event& out = event(in);
  EXPECT_EQ(out.method, "PATCH");
  EXPECT_EQ(out.path, "/a/b");
  EXPECT_EQ(out.url, "/a/b?");
  EXPECT_EQ(out.content_type, "text/x");
  EXPECT_EQ(out.body, "body");
  EXPECT_EQ(out.trigger_kind, "http");
  EXPECT_EQ(out.trigger_name, "web");
  EXPECT_EQ(out.id.size(), 36u);
  EXPECT_GE(out.timestamp, now);
  EXPECT_EQ(pairs(out.headers), (Pairs{{"Content-Type", "text/x"}, {"X-One", "1"}}));
  EXPECT_TRUE(out.fields.empty());
}

TEST_F(HttpEventTest, CopiesNothingThatNeedsNoChange) {
  auto in = request("GET", "/path", "a=b", {{"X-One", "1"}}, "body");
  const Event& out = event(in);
  EXPECT_EQ(out.path.data(), in.path.data());
  EXPECT_EQ(out.body.data(), in.body.data());
  EXPECT_EQ(out.headers[0].name.data(), in.headers.begin()->name.data());
  EXPECT_EQ(out.fields[0].name.data(), in.query.data());
}

TEST_F(HttpEventTest, SpellsHeaderNamesAsNuclioDoes) {
  const Event& out = event(request("GET", "/", "", {{"x-my-header", "a"}, {"HOST", "b"}, {"x--1a", "c"}}, ""));
  EXPECT_EQ(pairs(out.headers), (Pairs{{"X-My-Header", "a"}, {"Host", "b"}, {"X--1a", "c"}}));
}

TEST_F(HttpEventTest, DecodesTheFieldsOfTheQuery) {
  const Event& out = event(request("GET", "/", "a=1&b=x%20y+z&&flag&%C5%BC=%zz&a=2&e=&=v&p=50%", {}, ""));
  EXPECT_EQ(
      pairs(out.fields),
      (Pairs{{"a", "1"}, {"b", "x y z"}, {"flag", ""}, {"ż", "%zz"}, {"a", "2"}, {"e", ""}, {"", "v"}, {"p", "50%"}}));
}

TEST_F(HttpEventTest, TakesACloudEventsWord) {
  auto in =
      request("POST", "/", "", {{"ce-specversion", "1.0"}, {"ce-id", "7"}, {"ce-source", "s"}, {"ce-type", "t"}}, "x");
  const Event& out = event(in);
  EXPECT_EQ(out.id, "7");
  EXPECT_EQ(out.type, "t");
  EXPECT_EQ(out.trigger_kind, "s");
  EXPECT_EQ(out.headers.size(), 4u);
  EXPECT_EQ(out.headers[1].name, "Ce-Id");
}

TEST_F(HttpEventTest, RefusesABadCloudEvent) {
  auto result = made_.fill(request("POST", "/", "", {{"ce-specversion", "1.0"}}, ""), "http", "web", ids_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().why, Why::invalid);
}

TEST(CleanedPath, DecodesAndTakesOutWhatLeadsNowhere) {
  const std::pair<const char*, const char*> table[] = {
      {"/a%20b", "/a b"},          {"/a%2Fb", "/a/b"},
      {"/a//b", "/a/b"},           {"//", "/"},
      {"/a/./b", "/a/b"},          {"/a/../b", "/b"},
      {"/a/b/..", "/a/"},          {"/a/.", "/a/"},
      {"/../../etc", "/etc"},      {"/..", "/"},
      {"/%2e%2e/x", "/x"},         {"/a//", "/a/"},
      {"/a/b/../../../c/", "/c/"}, {"/.hidden", "/.hidden"},
      {"/a/..b", "/a/..b"},        {"/100%", "/100%"},
      {"/%zz%4", "/%zz%4"},        {"/+", nullptr},
      {"/a/b/", nullptr},          {"/", nullptr},
  };
  for (auto [path, expected] : table) {
    auto cleaned = cleaned_path(path);
    EXPECT_EQ(cleaned.value_or("unchanged"), expected ? expected : "unchanged") << path;
  }
}

}  // namespace
}  // namespace nuclio::processor
