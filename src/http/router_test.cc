// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <gtest/gtest.h>

#include "base/named.h"

namespace nuclio::http {
namespace {

Task<Response> say(std::string what) { co_return Response::text(200, std::move(what)); }

std::string answer(Router& router, std::string_view method, std::string_view path) {
  Request request;
  request.method = method;
  request.path = request.target = path;
  auto task = router.handle(request);
  task.start();
  EXPECT_TRUE(task.done());
  Response response = task.take();
  std::string text = std::get<std::string>(response.body);
  if (response.status == 200) return text;
  std::string allow{response.headers.get("Allow")};
  return std::to_string(response.status) + (allow.empty() ? "" : " Allow: " + allow);
}

Router router() {
  return Router{{
      {"GET", "/", [](Request&, const PathParams&) { return say("root"); }, "The root."},
      {"GET", "/f/{id}", [](Request&, const PathParams& p) { return say("f " + p.as<FunctionName>("id").value()); },
       "One function."},
      {"GET", "/f", [](Request&, const PathParams&) { return say("list"); }, "All functions."},
      {"POST", "/f", [](Request&, const PathParams&) { return say("made"); }, "Make one."},
      {"GET", "/f/new", [](Request&, const PathParams&) { return say("new"); }, "A form."},
      {"GET", "/f/{id}/logs/{replica}",
       [](Request&, const PathParams& p) { return say(p.get("id") + " " + p.get("replica")); }, "Logs."},
      {"*", "/call/{rest...}",
       [](Request& r, const PathParams& p) { return say(std::string(r.method) + " " + p.get("rest")); }, "Call it."},
      {"GET", "/call/{one}", [](Request&, const PathParams& p) { return say("one " + p.get("one")); }, "One."},
  }};
}

TEST(Router, FindsTheMostLiteralRoute) {
  Router routes = router();
  struct {
    const char* method;
    const char* path;
    const char* answer;
  } table[] = {
      {"GET", "/", "root"},
      {"GET", "/f", "list"},
      {"GET", "/f/", "list"},
      {"HEAD", "/f", "list"},
      {"POST", "/f", "made"},
      {"GET", "/f/new", "new"},
      {"GET", "/f/news", "f news"},
      {"GET", "/f/a%20b%2Fc/", "f a b/c"},
      {"GET", "/%66/x", "f x"},
      {"GET", "/f/a/logs/b", "a b"},
      {"GET", "/call/x", "one x"},
      {"PUT", "/call/x", "PUT x"},
      {"BREW", "/call/x/y%20z/", "BREW x/y z/"},
      {"GET", "/call", "GET "},
      {"GET", "/nothing", "404"},
      {"GET", "/f//", "404"},
      {"GET", "/f/a/logs", "404"},
      {"GET", "/f/a/b", "404"},
      {"GET", "/F", "404"},
      {"GET", "/f%2Fx", "404"},
      {"OPTIONS", "*", "404"},
      {"DELETE", "/f", "405 Allow: GET, HEAD, POST"},
      {"POST", "/f/x", "405 Allow: GET, HEAD"},
      {"GET", "/f/%", "400"},
      {"GET", "/f/%4", "400"},
      {"GET", "/f/%zz", "400"},
      {"GET", "/f/a%00b", "400"},
  };
  for (auto [method, path, expected] : table)
    EXPECT_EQ(answer(routes, method, path), expected) << method << " " << path;
}

TEST(Router, TellsItsTable) {
  Router routes = router();
  EXPECT_EQ(routes.routes().size(), 8u);
  EXPECT_EQ(routes.routes().front().doc, "The root.");
}

TEST(QueryParam, IsDecoded) {
  std::string_view query = "a=1&b=&c&d=x%20y%26+z&a=2&bad=%g&%65=f";
  EXPECT_EQ(query_param(query, "a"), "1");
  EXPECT_EQ(query_param(query, "b"), "");
  EXPECT_EQ(query_param(query, "c"), "");
  EXPECT_EQ(query_param(query, "d"), "x y& z");
  EXPECT_EQ(query_param(query, "e"), "f");
  EXPECT_EQ(query_param(query, "bad"), std::nullopt);
  EXPECT_EQ(query_param(query, "x"), std::nullopt);
  EXPECT_EQ(query_param("", "x"), std::nullopt);
}

}  // namespace
}  // namespace nuclio::http
