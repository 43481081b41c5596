// SPDX-License-Identifier: Apache-2.0
#include "processor/cloud_event.h"

#include <gtest/gtest.h>

#include "loop/clock.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;
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

std::string error_of(const http::Request& request) {
  auto result = read_cloud_event(request);
  if (result) return "no error";
  EXPECT_EQ(result.error().why, Why::invalid);
  return result.error().what;
}

// 2024-05-06T07:08:09Z
constexpr SystemTime kTime{1'714'979'289s};

TEST(CloudEvent, IsNothingThatOtherRequestsAre) {
  EXPECT_FALSE(*read_cloud_event(request({{"Content-Type", "application/json"}}, "{}")));
  EXPECT_FALSE(*read_cloud_event(request({{"ce-id", "7"}, {"CE-Source", "s"}})));
}

TEST(CloudEvent, ReadsBinaryOneDotZero) {
  auto event = **read_cloud_event(request({{"Content-Type", "text/plain"},
                                           {"Ce-Specversion", "1.0"},
                                           {"ce-id", "A-1"},
                                           {"ce-source", "/my%20source"},
                                           {"ce-type", "com.example.%C5%BC"},
                                           {"ce-time", "2024-05-06T07:08:09Z"}},
                                          "data"));
  EXPECT_EQ(event.version, "1.0");
  EXPECT_EQ(event.id, "A-1");
  EXPECT_EQ(event.source, "/my source");
  EXPECT_EQ(event.type, "com.example.ż");
  EXPECT_EQ(event.time, kTime);
  EXPECT_FALSE(event.envelope);
}

TEST(CloudEvent, ReadsBinaryZeroDotOne) {
  auto event = **read_cloud_event(request({{"CE-CloudEventsVersion", "0.1"},
                                           {"CE-EventID", "7"},
                                           {"CE-Source", "/s"},
                                           {"CE-EventType", "t"},
                                           {"CE-EventTypeVersion", "2"},
                                           {"CE-EventTime", "2024-05-06T09:08:09+02:00"}},
                                          "data"));
  EXPECT_EQ(event.version, "0.1");
  EXPECT_EQ(event.id, "7");
  EXPECT_EQ(event.source, "/s");
  EXPECT_EQ(event.type, "t");
  EXPECT_EQ(event.type_version, "2");
  EXPECT_EQ(event.time, kTime);
  EXPECT_FALSE(event.envelope);
}

TEST(CloudEvent, ReadsStructuredZeroDotOne) {
  auto event = **read_cloud_event(structured(
      R"({"cloudEventsVersion": "0.1", "eventID": "7", "source": "/s", "eventType": "t", "eventTypeVersion": "2",
          "eventTime": "2024-05-06T07:08:09Z", "contentType": "text/plain", "data": "plain \" text",
          "extensions": {"a": 1}})"));
  EXPECT_EQ(event.version, "0.1");
  EXPECT_EQ(event.id, "7");
  EXPECT_EQ(event.source, "/s");
  EXPECT_EQ(event.type, "t");
  EXPECT_EQ(event.type_version, "2");
  EXPECT_EQ(event.time, kTime);
  EXPECT_EQ(event.envelope->content_type, "text/plain");
  EXPECT_EQ(event.envelope->body, "plain \" text");
  EXPECT_TRUE(event.envelope->headers.empty());
}

struct Data {
  const char* envelope;  // beside the attributes that must be there
  const char* content_type;
  const char* body;
};

TEST(CloudEvent, FindsTheDataOfOneDotZero) {
  const Data table[] = {
      {R"("data": {"a": [1, 2]})", "application/json", R"({"a":[1,2]})"},
      {R"("data": "text")", "application/json", R"("text")"},
      {R"("datacontenttype": "application/vnd.x+json; charset=utf-8", "data": "text")",
       "application/vnd.x+json; charset=utf-8", R"("text")"},
      {R"("datacontenttype": "text/xml", "data": "<a/>")", "text/xml", "<a/>"},
      {R"("datacontenttype": "text/plain", "data": 7)", "text/plain", "7"},
      {R"("datacontenttype": "image/png", "data_base64": "AP8=")", "image/png", "\0\xff"},
      {R"("subject": "no data")", "", ""},
      {R"("data": null)", "application/json", "null"},
  };
  for (const Data& row : table) {
    std::string body =
        R"({"specversion": "1.0", "id": "1", "source": "s", "type": "t", )" + std::string{row.envelope} + "}";
    auto event = read_cloud_event(structured(body));
    ASSERT_TRUE(event) << body << event.error().what;
    EXPECT_EQ((*event)->envelope->content_type, row.content_type) << body;
    std::string expected =
        row.body[0] == '\0' && std::string_view{row.content_type} == "image/png" ? std::string("\0\xff", 2) : row.body;
    EXPECT_EQ((*event)->envelope->body, expected) << body;
  }
}

TEST(CloudEvent, GivesAttributesOfOneDotZeroAsTheHeadersThatTheyAreInBinaryMode) {
  auto event = **read_cloud_event(structured(
      R"({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": "sub", "count": 3, "data": {},
          "gone": null})"));
  std::vector<std::pair<std::string, std::string>> expected = {{"Ce-Specversion", "1.0"}, {"Ce-Id", "1"},
                                                               {"Ce-Source", "s"},        {"Ce-Type", "t"},
                                                               {"Ce-Subject", "sub"},     {"Ce-Count", "3"}};
  EXPECT_EQ(event.envelope->headers, expected);
}

TEST(CloudEvent, SaysWhatIsWrongWithIt) {
  const std::string required = R"("specversion": "1.0", "id": "1", "source": "s", "type": "t")";
  EXPECT_EQ(error_of(structured("{broken")).substr(0, 44), "bad CloudEvent: body: JSON is not valid at l");
  EXPECT_EQ(error_of(structured("[]")), "bad CloudEvent: the body must be a JSON object");
  EXPECT_EQ(error_of(structured("{}")), "bad CloudEvent: specversion is missing (cloudEventsVersion in version 0.1)");
  EXPECT_EQ(error_of(structured(R"({"specversion": "0.3", "id": "1", "source": "s", "type": "t"})")),
            "bad CloudEvent: specversion \"0.3\" is not known; 0.1 and 1.0 are");
  EXPECT_EQ(error_of(structured(R"({"specversion": "1.0", "id": "1", "source": "s"})")),
            "bad CloudEvent: type is missing or empty");
  EXPECT_EQ(error_of(structured(R"({"specversion": "1.0", "id": 1, "source": "s", "type": "t"})")),
            "bad CloudEvent: id must be a string, is 1");
  EXPECT_EQ(error_of(structured("{" + required + R"(, "time": "yesterday"})")),
            "bad CloudEvent: time must be a time such as 2024-05-06T07:08:09Z, is \"yesterday\"");
  EXPECT_EQ(error_of(structured("{" + required + R"(, "data": 1, "data_base64": ""})")),
            "bad CloudEvent: data and data_base64 exclude each other");
  EXPECT_EQ(error_of(structured("{" + required + R"(, "data_base64": "?"})")).substr(0, 28),
            "bad CloudEvent: data_base64:");
  EXPECT_EQ(error_of(structured(R"({"cloudEventsVersion": "0.1", "eventTime": "x"})")),
            "bad CloudEvent: eventTime must be a time such as 2024-05-06T07:08:09Z, is \"x\"");
  EXPECT_EQ(error_of(request({{"ce-specversion", "1.0"}, {"ce-source", "s"}, {"ce-type", "t"}})),
            "bad CloudEvent: ce-id is missing or empty");
  EXPECT_EQ(error_of(request({{"Content-Type", "application/cloudevents-batch+json"}}, "[]")),
            "bad CloudEvent: batches are not supported; send one event a request, as application/cloudevents+json");
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
