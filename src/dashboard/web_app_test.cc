// SPDX-License-Identifier: Apache-2.0
#include "dashboard/web_app.h"

#include <gmock/gmock.h>

#include "loop/loop.h"
#include "loop/run.h"

namespace nuclio::dashboard {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Behind final : public http::Handler {
 public:
  Task<http::Response> handle(http::Request&) override { co_return http::Response::text(418, "behind"); }
};

class WebAppTest : public ::testing::Test {
 protected:
  http::Response ask(std::string_view method, std::string_view path,
                     std::vector<std::pair<std::string_view, std::string_view>> headers = {}) {
    http::Request request;
    request.method = method;
    request.target = request.path = path;
    for (const auto& [name, value] : headers) request.headers.add({name, value});
    return run_until_done(loop_, app_.handle(request));
  }
  static const std::string& body(const http::Response& response) { return std::get<std::string>(response.body); }
  static std::string_view an_asset() {
    for (const WebFile& each : web_files())
      if (each.path.starts_with("/assets/") && each.path.ends_with(".js")) return each.path;
    return "";
  }

  Loop loop_;
  Behind behind_;
  WebApp app_{behind_};
};

TEST_F(WebAppTest, ShowsItsPageWhereverNoFileIs) {
  for (const char* path : {"/", "/index.html", "/functions/shop/logs", "/functions/a.b", "/apiary"}) {
    const http::Response page = ask("GET", path);
    EXPECT_EQ(page.status, 200) << path;
    EXPECT_THAT(body(page), AllOf(StartsWith("<!doctype html>"), HasSubstr("/assets/"))) << path;
    EXPECT_EQ(page.headers.get("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(page.headers.get("Cache-Control"), "no-cache");
  }
}

TEST_F(WebAppTest, LetsNothingRunOrLoadThatIsNotItsOwn) {
  EXPECT_EQ(ask("GET", "/").headers.get("Content-Security-Policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
  EXPECT_THAT(body(ask("GET", "/")), AllOf(Not(HasSubstr("<style")), Not(HasSubstr("style=")), Not(HasSubstr("http:")),
                                           Not(HasSubstr("https:"))));
}

TEST_F(WebAppTest, LeavesTheApiAndAllChangesToWhoIsBehindIt) {
  EXPECT_EQ(ask("GET", "/api").status, 418);
  EXPECT_EQ(ask("GET", "/api/functions").status, 418);
  EXPECT_EQ(ask("POST", "/").status, 418);
  EXPECT_EQ(ask("OPTIONS", "/functions").status, 418);
}

TEST_F(WebAppTest, KeepsFilesWhoseNamesSayWhatTheyAre) {
  const std::string_view path = an_asset();
  ASSERT_NE(path, "");
  const http::Response file = ask("GET", path, {{"Accept-Encoding", "br, gzip"}});
  EXPECT_EQ(file.status, 200);
  EXPECT_EQ(file.headers.get("Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(file.headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(file.headers.get("Vary"), "Accept-Encoding");
  EXPECT_THAT(body(file), StartsWith("\x1f\x8b"));
  EXPECT_EQ(ask("GET", "/assets/of-yesterday.js").status, 404);
}

TEST_F(WebAppTest, SendsNothingThatIsKnown) {
  const std::string etag{ask("GET", "/").headers.get("ETag")};
  const http::Response again = ask("GET", "/", {{"If-None-Match", etag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(body(again), "");
  EXPECT_EQ(again.headers.get("ETag"), etag);
  EXPECT_EQ(ask("GET", "/", {{"If-None-Match", "\"another\""}}).status, 200);
}

TEST_F(WebAppTest, CompressesForThoseAloneWhoTakeIt) {
  const std::string plain = body(ask("GET", "/"));
  EXPECT_EQ(body(ask("GET", "/", {{"Accept-Encoding", "br"}})), plain);
  EXPECT_EQ(body(ask("GET", "/", {{"Accept-Encoding", "gzip;q=0"}})), plain);
  for (const char* accepted : {"gzip", "gzip;q=0.5", "deflate, gzip"})
    EXPECT_THAT(body(ask("GET", "/", {{"Accept-Encoding", accepted}})), StartsWith("\x1f\x8b")) << accepted;
}

}  // namespace
}  // namespace nuclio::dashboard
