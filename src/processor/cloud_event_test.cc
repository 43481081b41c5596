// SPDX-License-Identifier: Apache-2.0
#include "processor/cloud_event.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "loop/clock.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;
using Fields = std::vector<http::Header>;

http::Request request(const Fields& headers, std::string_view body = "") {
  http::Request request;
  request.method = "POST";
  request.target = request.path = "/";
  for (const http::Header& header : headers) request.headers.add(header);
  request.body = body;
  return request;
}

http::Request structured(std::string_view body) {
  return request({{"Content-Type", "application/cloudevents+json; charset=utf-8"}}, body);
}

// 2024-05-06T07:08:09Z
constexpr SystemTime kTime{1'714'979'289s};

std::string read_file(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

// "" for a member that is not there.
std::string text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value ? std::string{value->as_string()} : "";
}

void expect_event(const CloudEvent& event, const json::object& row) {
  const json::object& expected = row.at("event").as_object();
  EXPECT_EQ(event.version, text(expected, "version"));
  EXPECT_EQ(event.id, text(expected, "id"));
  EXPECT_EQ(event.source, text(expected, "source"));
  EXPECT_EQ(event.type, text(expected, "type"));
  EXPECT_EQ(event.type_version, text(expected, "typeVersion"));
  const json::value* time = expected.if_contains("time");
  EXPECT_EQ(event.time.has_value(), time != nullptr);
  if (event.time && time) EXPECT_EQ(*event.time, SystemTime{std::chrono::seconds{time->as_int64()}});

  ASSERT_EQ(event.envelope.has_value(), row.contains("envelope"));
  if (!event.envelope) return;
  const json::object& envelope = row.at("envelope").as_object();
  EXPECT_EQ(event.envelope->content_type, text(envelope, "contentType"));
  EXPECT_EQ(event.envelope->body, text(envelope, "body"));
  if (!envelope.contains("headers")) return;
  json::array headers;
  for (const auto& [name, value] : event.envelope->headers) headers.push_back(json::array{name, value});
  EXPECT_EQ(headers, envelope.at("headers").as_array());
}

TEST(CloudEvent, IsReadAsTheVectorsSay) {
  json::value vectors = json::parse(read_file(NUCLIO_VECTORS "/processor/cloud_events.json"));
  for (const json::value& vector : vectors.as_array()) {
    const json::object& row = vector.as_object();
    SCOPED_TRACE(text(row, "name"));
    Fields headers;
    for (const auto& [name, value] : row.at("headers").as_object()) headers.push_back({name, value.as_string()});
    std::string body = text(row, "body");
    auto result = read_cloud_event(request(headers, body));
    if (row.contains("error")) {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().why, Why::invalid);
      EXPECT_EQ(result.error().what.substr(0, text(row, "error").size()), text(row, "error"));
      continue;
    }
    ASSERT_TRUE(result) << result.error().what;
    EXPECT_EQ(result->has_value(), row.contains("event"));
    if (*result) expect_event(**result, row);
  }
}

TEST(CloudEvent, TakesThePlaceOfWhatTheRequestSaid) {
  auto cloud = **read_cloud_event(structured(
      R"({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "time": "2024-05-06T07:08:09Z", "data": [1]})"));
  std::vector<wire::Pair> headers = {{"Content-Type", "application/cloudevents+json"}};
  Event event;
  event.id = "ours";
  event.trigger_kind = "http";
  event.trigger_name = "web";
  event.method = "POST";
  event.headers = headers;
  apply(cloud, headers, event);
  EXPECT_EQ(event.id, "1");
  EXPECT_EQ(event.trigger_kind, "s");
  EXPECT_EQ(event.trigger_name, "web");
  EXPECT_EQ(event.type, "t");
  EXPECT_EQ(event.version, "1.0");
  EXPECT_EQ(event.timestamp, kTime);
  EXPECT_EQ(event.content_type, "application/json");
  EXPECT_EQ(event.body, "[1]");
  EXPECT_EQ(event.headers.size(), 5u);
}

TEST(CloudEvent, LeavesHeadersAndBodyOfBinaryModeAlone) {
  auto cloud = **read_cloud_event(request({{"CE-CloudEventsVersion", "0.1"}}));
  std::vector<wire::Pair> headers = {{"X-Other", "1"}};
  Event event;
  event.id = "ours";
  event.trigger_kind = "http";
  event.body = "body";
  event.content_type = "text/plain";
  event.headers = headers;
  apply(cloud, headers, event);
  EXPECT_EQ(event.id, "ours");
  EXPECT_EQ(event.trigger_kind, "http");
  EXPECT_EQ(event.body, "body");
  EXPECT_EQ(event.content_type, "text/plain");
  EXPECT_EQ(event.headers.size(), 1u);
}

TEST(Rfc3339, ReadsTimes) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), SystemTime{});
  EXPECT_EQ(parse_rfc3339("2024-05-06T07:08:09z"), kTime);
  EXPECT_EQ(parse_rfc3339("2024-05-06 07:08:09.25Z"), kTime + 250ms);
  EXPECT_EQ(parse_rfc3339("2024-05-06T07:08:09.0000000019Z"), kTime + 1ns);
  EXPECT_EQ(parse_rfc3339("2024-05-06T01:38:09-05:30"), kTime);
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00+00:00"), SystemTime{1'709'164'800s});
}

TEST(Rfc3339, RefusesWhatIsNone) {
  for (const char* text :
       {"", "2024", "2024-05-06", "2024-05-06T07:08:09", "2024-05-06T07:08Z", "2024-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z", "2024-05-06T24:00:00Z", "2024-05-06T07:60:00Z", "2024-05-06T07:08:09.Z",
        "2024-05-06T07:08:09+2:00", "2024-05-06T07:08:09+24:00", "2024-05-06T07:08:09Zx", "+024-05-06T07:08:09Z",
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"})
    EXPECT_FALSE(parse_rfc3339(text)) << text;
}

}  // namespace
}  // namespace nuclio::processor
