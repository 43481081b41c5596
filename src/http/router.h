// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace nuclio::http {

// "a%20b" to "a b". Why::invalid for a '%' without two hexadecimal digits, and for an encoded NUL.
Result<std::string> percent_decode(std::string_view text);

// The decoded value of the first query parameter of that name, "" for one without '='; nothing when it is absent or
// badly encoded. query_param("follow=true&tail=5", "tail") is "5". '+' is a blank here, as forms send it.
std::optional<std::string> query_param(std::string_view query, std::string_view name);

// What the {names} of a route's pattern stood for, decoded.
class PathParams {
 public:
  // `name` must be one of the pattern's.
  const std::string& get(std::string_view name) const;
  // The same as a type of its own: params.as<FunctionName>("id").
  template <class T>
  T as(std::string_view name) const {
    return T{get(name)};
  }
  void add(std::string_view name, std::string value) { values_.emplace_back(name, std::move(value)); }

 private:
  std::vector<std::pair<std::string_view, std::string>> values_;  // the names are the pattern's
};

// One line of a program's table of calls.
struct Route {
  // Returns a Task that may use both arguments until it is done. A plain function or a lambda that returns some
  // object's coroutine; not a coroutine lambda with captures.
  using Function = std::function<Task<Response>(Request&, const PathParams&)>;

  std::string_view method;   // "GET", which answers HEAD too; "*" for any
  std::string_view pattern;  // "/api/functions/{id}"; a last segment "{rest...}" takes all that follows, also nothing
  Function function;
  std::string_view doc;  // one line for people and for the generated API description
};

// Answers each request by the first route that fits; literal segments go before {names}. One trailing slash is
// tolerated. An unknown path gets 404, a known one with another method 405 with Allow, both with {"error": …}.
// The table's texts are borrowed: literals.
class Router final : public Handler {
 public:
  explicit Router(std::vector<Route> routes);
  Task<Response> handle(Request& request) override;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace nuclio::http
