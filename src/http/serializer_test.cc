// SPDX-License-Identifier: Apache-2.0
#include "http/serializer.h"

#include <gmock/gmock.h>

#include "http/status.h"

namespace nuclio::http {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kDate = "Tue, 15 Nov 1994 08:12:31 GMT";
const std::string kOurs = "Server: nuclio\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\n";

struct Nothing final : BodySource {
  Task<Result<std::optional<std::string>>> next() override { co_return std::optional<std::string>{}; }
};

std::string head(const Response& response, const Answering& to = {}) {
  std::string out;
  append_head(out, response, to, kDate);
  return out;
}
Plan plan(const Response& response, const Answering& to = {}) {
  std::string out;
  return append_head(out, response, to, kDate);
}
Response stream() { return Response{200, {}, std::make_unique<Nothing>()}; }

TEST(Serializer, WritesStatusHeadersAndLength) {
  Response response = Response::text(201, "hello", "text/x");
  response.headers.add("X-A", "1");
  EXPECT_EQ(head(response),
            "HTTP/1.1 201 Created\r\nContent-Type: text/x\r\nX-A: 1\r\n" + kOurs + "Content-Length: 5\r\n\r\n");
  EXPECT_THAT(head(Response::empty(799)), StartsWith("HTTP/1.1 799 Unknown\r\n"));
}

TEST(Serializer, SaysWhetherTheConnectionStays) {
  Response response = Response::empty(200);
  EXPECT_THAT(head(response), Not(HasSubstr("Connection")));
  EXPECT_THAT(head(response, {.keep_alive = KeepAlive::no}), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head(response, {.minor_version = 0}), HasSubstr("Connection: keep-alive\r\n"));
  response.headers.add("Connection", "close");
  EXPECT_EQ(plan(response).keep_alive, KeepAlive::no);
}

TEST(Serializer, KeepsFramingToItself) {
  Response response = Response::text(200, "hello");
  response.headers.add("Content-Length", "3");
  response.headers.add("transfer-encoding", "chunked");
  response.headers.add("Connection", "upgrade");
  response.headers.add("Keep-Alive", "timeout=5");
  std::string out = head(response);
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n" + kOurs + "Content-Length: 5\r\n\r\n");
}

TEST(Serializer, LeavesServerAndDateToAHandlerThatSetsThem) {
  Response response = Response::empty(200);
  response.headers.add("Server", "mine");
  response.headers.add("Date", "today");
  EXPECT_EQ(head(response), "HTTP/1.1 200 OK\r\nServer: mine\r\nDate: today\r\nContent-Length: 0\r\n\r\n");
}

TEST(Serializer, ChoosesHowTheBodyFollows) {
  EXPECT_EQ(plan(Response::text(200, "x")).sending, Sending::counted);
  EXPECT_EQ(plan(stream()).sending, Sending::chunked);
  EXPECT_EQ(plan(stream()).keep_alive, KeepAlive::yes);
  EXPECT_EQ(plan(stream(), {.minor_version = 0}).sending, Sending::until_close);
  EXPECT_EQ(plan(stream(), {.minor_version = 0}).keep_alive, KeepAlive::no);
  EXPECT_EQ(plan(stream(), {.head = true}).sending, Sending::nothing);
  EXPECT_EQ(plan(Response::text(200, "x"), {.head = true}).sending, Sending::nothing);
  for (int status : {204, 304}) {
    EXPECT_EQ(plan(Response::text(status, "x")).sending, Sending::nothing);
    EXPECT_THAT(head(Response::text(status, "x")), Not(HasSubstr("Content-Length")));
  }
}

TEST(Serializer, TakesTheLengthOfAHeadAnswerFromItsHandler) {
  Response response = Response::empty(200);
  response.headers.add("Content-Length", "77");
  EXPECT_THAT(head(response, {.head = true}), HasSubstr("Content-Length: 77\r\n"));
  EXPECT_THAT(head(response), HasSubstr("Content-Length: 0\r\n"));
  EXPECT_THAT(head(Response::text(200, "hello"), {.head = true}), HasSubstr("Content-Length: 5\r\n"));
}

TEST(Serializer, MakesAnImpossibleStatusAServerError) {
  for (int status : {-1, 0, 100, 199, 1000}) EXPECT_THAT(head(Response::empty(status)), StartsWith("HTTP/1.1 500 "));
}

TEST(HttpDate, IsThatOfTheRfc) {
  HttpDate date;
  EXPECT_EQ(date.at(784887151), "Tue, 15 Nov 1994 08:12:31 GMT");
  EXPECT_EQ(date.at(784887151), "Tue, 15 Nov 1994 08:12:31 GMT");
  EXPECT_EQ(date.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date.at(951827696), "Tue, 29 Feb 2000 12:34:56 GMT");
}

TEST(Response, OfAnErrorSaysWhatAndHasTheStatusOfItsWhy) {
  struct {
    Why why;
    int status;
  } table[] = {{Why::invalid, 400},  {Why::forbidden, 403},    {Why::not_found, 404}, {Why::timeout, 408},
               {Why::conflict, 409}, {Why::precondition, 412}, {Why::too_large, 413}, {Why::internal, 500},
               {Why::busy, 503},     {Why::unavailable, 503}};
  for (auto [why, status] : table) {
    Response response = Response::error({why, "a \"quoted\" reason"});
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(std::get<std::string>(response.body), R"({"error": "a \"quoted\" reason", "errorStackTrace": ""})");
    EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
    EXPECT_NE(reason_phrase(status), "Unknown");
    EXPECT_EQ(why_of(status), why == Why::busy ? Why::unavailable : why);
  }
}

}  // namespace
}  // namespace nuclio::http
