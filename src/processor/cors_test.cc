// SPDX-License-Identifier: Apache-2.0
#include "processor/cors.h"

#include <gtest/gtest.h>

namespace nuclio::processor {
namespace {

using Fields = std::vector<http::Header>;

http::Request request(std::string_view method, const Fields& headers) {
  http::Request request;
  request.method = method;
  request.target = request.path = "/";
  for (const http::Header& header : headers) request.headers.add(header);
  return request;
}

std::vector<std::string> all(const http::Headers& headers, std::string_view name) {
  std::vector<std::string> values;
  for (http::Header field : headers)
    if (http::same_ignoring_case(field.name, name)) values.emplace_back(field.value);
  return values;
}

spec::Cors cors(std::vector<std::string> origins) {
  spec::Cors config;
  config.enabled = true;
  config.allow_origins = std::move(origins);
  return config;
}

const Fields kAsking = {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "PUT"}};

TEST(Cors, TakesOnlyRequestsThatAskForAMethodForPreflights) {
  CorsPolicy policy{cors({"*"})};
  EXPECT_TRUE(policy.is_preflight(request("OPTIONS", kAsking)));
  EXPECT_FALSE(policy.is_preflight(request("OPTIONS", {{"Origin", "https://a.example"}})));
  EXPECT_FALSE(policy.is_preflight(request("OPTIONS", {})));
  EXPECT_FALSE(policy.is_preflight(request("POST", kAsking)));
}

TEST(Cors, AnswersAPreflightWithWhatIsAllowed) {
  auto response = CorsPolicy{cors({"https://a.example"})}.answer_preflight(request("OPTIONS", kAsking));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(all(response.headers, "Vary"),
            (std::vector<std::string>{"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"}));
  EXPECT_EQ(response.headers.get("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(response.headers.get("Access-Control-Allow-Methods"), "HEAD, GET, POST, PUT, DELETE, OPTIONS, PATCH");
  EXPECT_EQ(response.headers.get("Access-Control-Allow-Headers"),
            "Accept, Content-Length, Content-Type, Authorization, X-Nuclio-Log-Level");
  EXPECT_EQ(response.headers.get("Access-Control-Max-Age"), "5");
  EXPECT_FALSE(response.headers.has("Access-Control-Allow-Credentials"));
}

struct Preflight {
  const char* what;
  std::vector<std::string> origins;
  Fields headers;
  int status;
};

TEST(Cors, RefusesPreflightsThatAskForWhatIsNotAllowed) {
  const Preflight table[] = {
      {"any origin", {"*"}, {{"Origin", "https://b.example"}, {"Access-Control-Request-Method", "GET"}}, 200},
      {"another origin",
       {"https://a.example"},
       {{"Origin", "https://b.example"}, {"Access-Control-Request-Method", "GET"}},
       400},
      {"an origin that differs in case",
       {"https://a.example"},
       {{"Origin", "https://A.example"}, {"Access-Control-Request-Method", "GET"}},
       400},
      {"one of several origins",
       {"https://a.example", "https://b.example"},
       {{"Origin", "https://b.example"}, {"Access-Control-Request-Method", "GET"}},
       200},
      {"no origin", {"*"}, {{"Access-Control-Request-Method", "GET"}}, 400},
      {"an unknown method", {"*"}, {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "TRACE"}}, 400},
      {"allowed headers, in any case",
       {"*"},
       {{"Origin", "https://a.example"},
        {"Access-Control-Request-Method", "GET"},
        {"Access-Control-Request-Headers", "x-nuclio-log-level,content-type"}},
       200},
      {"an empty list of headers",
       {"*"},
       {{"Origin", "https://a.example"},
        {"Access-Control-Request-Method", "GET"},
        {"Access-Control-Request-Headers", " , "}},
       200},
      {"a header too many",
       {"*"},
       {{"Origin", "https://a.example"},
        {"Access-Control-Request-Method", "GET"},
        {"Access-Control-Request-Headers", "accept, x-other"}},
       400},
  };
  for (const Preflight& row : table) {
    auto response = CorsPolicy{cors(row.origins)}.answer_preflight(request("OPTIONS", row.headers));
    EXPECT_EQ(response.status, row.status) << row.what;
    EXPECT_EQ(all(response.headers, "Vary").size(), 3u) << row.what;
    EXPECT_EQ(response.headers.has("Access-Control-Allow-Origin"), row.status == 200) << row.what;
  }
}

TEST(Cors, AnswersWildcardsOfMethodsAndHeadersWithWhatWasAskedFor) {
  spec::Cors config = cors({"*"});
  config.allow_methods = {"*"};
  config.allow_headers = {"*"};
  auto response = CorsPolicy{config}.answer_preflight(request(
      "OPTIONS",
      {{"Origin", "x"}, {"Access-Control-Request-Method", "BREW"}, {"Access-Control-Request-Headers", "x-a, x-b"}}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Access-Control-Allow-Methods"), "BREW");
  EXPECT_EQ(response.headers.get("Access-Control-Allow-Headers"), "x-a, x-b");
}

TEST(Cors, LeavesOutTheMaximumAgeWhenThereIsNone) {
  for (std::optional<std::int64_t> age : {std::optional<std::int64_t>{}, std::optional<std::int64_t>{-1}}) {
    spec::Cors config = cors({"*"});
    config.preflight_max_age_seconds = age;
    auto response = CorsPolicy{config}.answer_preflight(request("OPTIONS", kAsking));
    EXPECT_FALSE(response.headers.has("Access-Control-Max-Age"));
  }
}

TEST(Cors, LetsPagesOfAllowedOriginsReadAnswers) {
  spec::Cors config = cors({"https://a.example"});
  config.expose_headers = {"X-One", "X-Two"};
  config.allow_credentials = true;
  http::Headers headers{{"Access-Control-Allow-Origin", "the handler's own"}};
  CorsPolicy{config}.add_to(headers, "https://a.example");
  EXPECT_EQ(all(headers, "Access-Control-Allow-Origin"), std::vector<std::string>{"https://a.example"});
  EXPECT_EQ(headers.get("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(headers.get("Access-Control-Expose-Headers"), "X-One, X-Two");
  EXPECT_EQ(headers.get("Vary"), "Origin");
}

TEST(Cors, SendsTheWildcardOnlyWithoutCredentials) {
  http::Headers headers;
  CorsPolicy{cors({"*"})}.add_to(headers, "https://a.example");
  EXPECT_EQ(headers.get("Access-Control-Allow-Origin"), "*");
  EXPECT_FALSE(headers.has("Vary"));

  spec::Cors config = cors({"*"});
  config.allow_credentials = true;
  http::Headers with_credentials;
  CorsPolicy{config}.add_to(with_credentials, "https://a.example");
  EXPECT_EQ(with_credentials.get("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(with_credentials.get("Vary"), "Origin");
}

TEST(Cors, GivesOtherOriginsNothingButVary) {
  for (std::string_view origin : {"https://b.example", "null", ""}) {
    http::Headers headers;
    CorsPolicy{cors({"https://a.example"})}.add_to(headers, origin);
    EXPECT_EQ(headers.text(), "Vary: Origin\r\n") << origin;
  }
}

}  // namespace
}  // namespace nuclio::processor
