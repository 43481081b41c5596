// SPDX-License-Identifier: Apache-2.0
#include "http/parser.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

namespace nuclio::http {
namespace {

namespace json = boost::json;

json::array cases(const std::string& file) {
  std::ifstream in(std::string(NUCLIO_VECTORS) + "/http/" + file);
  std::stringstream text;
  text << in.rdbuf();
  return json::parse(text.str()).at("cases").as_array();
}

std::string text(const json::value& value, std::string_view key) { return std::string(value.at(key).as_string()); }

// What the parsers make of a request that arrives in pieces.
struct Outcome {
  int status = 0;  // of the refusal
  std::string reason;
  bool complete = false;
  std::string method, target, path, query, body, rest;
  int minor_version = -1;
  std::vector<std::pair<std::string, std::string>> headers;
  bool keep_alive = false;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Feeds `whole` in pieces that end at `cuts`, each time from memory of its own, so that a view into an earlier piece
// would be found.
Outcome feed(const std::string& whole, const std::vector<std::size_t>& cuts, const Limits& limits = {}) {
  Outcome outcome;
  HeadParser parser{limits};
  ChunkedDecoder decoder{limits};
  bool in_body = false;
  std::size_t decoded = 0;
  for (std::size_t cut : cuts) {
    std::vector<char> memory(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
    std::string_view received{memory.data(), memory.size()};
    auto refused = [&](Refusal refusal) {
      outcome.status = refusal.status;
      outcome.reason = refusal.reason;
      return outcome;
    };
    if (!in_body) {
      auto progress = parser.parse(received);
      if (!progress) return refused(progress.error());
      if (*progress == Progress::more) continue;
      in_body = true;
      decoded = parser.size();
    }
    std::size_t end = parser.size();
    if (parser.framing() == Framing::chunked) {
      auto taken = decoder.decode(received.substr(decoded), outcome.body);
      if (!taken) return refused(taken.error());
      decoded += *taken;
      if (!decoder.done()) continue;
      end = decoded;
    } else {
      end += parser.content_length();
      if (received.size() < end) continue;
      outcome.body = received.substr(parser.size(), parser.content_length());
    }
    Request request;
    parser.fill(received, request);
    outcome.complete = true;
    outcome.method = request.method;
    outcome.target = request.target;
    outcome.path = request.path;
    outcome.query = request.query;
    outcome.minor_version = request.minor_version;
    for (Header field : request.headers) outcome.headers.emplace_back(field.name, field.value);
    outcome.keep_alive = parser.keep_alive();
    outcome.rest = whole.substr(end);
    return outcome;
  }
  return outcome;
}

std::vector<std::size_t> every_byte(const std::string& whole) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i <= whole.size(); ++i) cuts.push_back(i);
  return cuts;
}

// At once, byte by byte, and in two pieces cut anywhere.
void expect_the_same_however_it_is_cut(const std::string& whole, const Outcome& expected, const Limits& limits = {}) {
  EXPECT_EQ(feed(whole, every_byte(whole), limits), expected) << "byte by byte";
  for (std::size_t cut = 1; cut < whole.size(); ++cut)
    EXPECT_EQ(feed(whole, {cut, whole.size()}, limits), expected) << "cut at byte " << cut;
}

TEST(Parser, RefusesWhatTwoImplementationsCouldUnderstandDifferently) {
  for (const json::value& item : cases("reject.json")) {
    SCOPED_TRACE(text(item, "name"));
    std::string request = text(item, "request");
    Outcome outcome = feed(request, {request.size()});
    EXPECT_FALSE(outcome.complete);
    EXPECT_EQ(outcome.status, item.at("status").as_int64()) << outcome.reason;
    EXPECT_NE(outcome.reason, "");
    outcome.body.clear();
    auto without_body = [&](std::vector<std::size_t> cuts) {
      Outcome cut = feed(request, cuts);
      cut.body.clear();
      return cut;
    };
    EXPECT_EQ(without_body(every_byte(request)), outcome) << "byte by byte";
    for (std::size_t cut = 1; cut < request.size(); ++cut)
      EXPECT_EQ(without_body({cut, request.size()}), outcome) << "cut at byte " << cut;
  }
}

TEST(Parser, ReadsWhatIsRightHoweverItIsCut) {
  for (const json::value& item : cases("accept.json")) {
    SCOPED_TRACE(text(item, "name"));
    std::string request = text(item, "request");
    Outcome expected;
    expected.complete = true;
    expected.method = text(item, "method");
    expected.target = text(item, "target");
    expected.path = text(item, "path");
    expected.query = text(item, "query");
    expected.body = text(item, "body");
    expected.rest = text(item, "rest");
    expected.minor_version = static_cast<int>(item.at("minor_version").as_int64());
    expected.keep_alive = item.at("keep_alive").as_bool();
    for (const json::value& field : item.at("headers").as_array())
      expected.headers.emplace_back(field.at(0).as_string(), field.at(1).as_string());
    Outcome outcome = feed(request, {request.size()});
    EXPECT_EQ(outcome, expected) << outcome.status << " " << outcome.reason;
    expect_the_same_however_it_is_cut(request, expected);
  }
}

TEST(Parser, HasALimitForEachThingThatGrows) {
  Limits limits;
  limits.header_bytes = Bytes{200};
  limits.target_bytes = Bytes{50};
  limits.header_count = 3;
  limits.body_bytes = Bytes{10};
  const std::string host = "Host: a\r\n";
  const std::string get = "GET / HTTP/1.1\r\n" + host;
  const std::string chunked = "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n";
  auto x = [](std::size_t n) { return std::string(n, 'x'); };
  struct {
    const char* name;
    std::string request;
    int status;  // 0: accepted
  } table[] = {
      {"target that just fits", "GET /" + x(49) + " HTTP/1.1\r\n" + host + "\r\n", 0},
      {"target one too long", "GET /" + x(50) + " HTTP/1.1\r\n" + host + "\r\n", 414},
      {"endless target", "GET /" + x(5000), 414},
      {"endless method", x(5000), 414},
      {"head that just fits", get + "X: " + x(200 - get.size() - 7) + "\r\n\r\n", 0},
      {"head one too large", get + "X: " + x(200 - get.size() - 6) + "\r\n\r\n", 431},
      {"endless header", get + "X: " + x(5000), 431},
      {"as many headers as allowed", get + "A: b\r\nC: d\r\n\r\n", 0},
      {"one header too many", get + "A: b\r\nC: d\r\nE: f\r\n\r\n", 431},
      {"body that just fits", get + "Content-Length: 10\r\n\r\n0123456789", 0},
      {"body one too large", get + "Content-Length: 11\r\n\r\n", 413},
      {"chunks that just fit", chunked + "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", 0},
      {"chunks one too large", chunked + "5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n", 413},
      {"endless chunk extension", chunked + "5;" + x(5000), 431},
      {"many chunk extensions", chunked + "1;" + x(100) + "\r\na\r\n1;" + x(100) + "\r\n", 431},
      {"endless trailer", chunked + "0\r\nX: " + x(5000), 431},
      {"too many trailers", chunked + "0\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", 431},
  };
  for (const auto& item : table) {
    SCOPED_TRACE(item.name);
    Outcome outcome = feed(item.request, {item.request.size()}, limits);
    EXPECT_EQ(outcome.status, item.status) << outcome.reason;
    EXPECT_EQ(outcome.complete, item.status == 0);
    Outcome bytewise = feed(item.request, every_byte(item.request), limits);
    EXPECT_EQ(bytewise.status, outcome.status);
    EXPECT_EQ(bytewise.reason, outcome.reason);
  }
}

TEST(Parser, BeginsAnewAfterReset) {
  Limits limits;
  HeadParser parser{limits};
  ASSERT_TRUE(parser.parse("POST /a HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
  parser.reset();
  std::string_view second = "GET /b HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_EQ(parser.parse(second).value(), Progress::done);
  Request request;
  parser.fill(second, request);
  EXPECT_EQ(request.path, "/b");
  EXPECT_EQ(request.headers.size(), 1u);
  EXPECT_EQ(parser.framing(), Framing::none);
  EXPECT_EQ(parser.content_length(), 0u);
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_FALSE(parser.expects_continue());
}

TEST(Parser, TellsWhetherTheClientWaitsForAGoAhead) {
  Limits limits;
  HeadParser parser{limits};
  ASSERT_TRUE(parser.parse("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n"));
  EXPECT_TRUE(parser.expects_continue());
  parser.reset();
  ASSERT_TRUE(parser.parse("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_FALSE(parser.expects_continue());
}

}  // namespace
}  // namespace nuclio::http
