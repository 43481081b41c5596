// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "http/characters.h"

namespace nuclio::http {
namespace {

// Takes the first segment off a path that begins with '/'.
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  std::size_t end = std::min(path.find('/'), path.size());
  std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

bool is_param(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }
std::string_view param_name(std::string_view segment) { return segment.substr(1, segment.size() - 2); }

enum class Fit { no, badly_encoded, yes };

// Compares decoded segments, so that /api/%66unctions is /api/functions and an encoded slash never splits one.
Fit fit(std::string_view pattern, std::string_view path, PathParams& params) {
  if (!path.starts_with('/')) return Fit::no;  // "OPTIONS *"
  while (!pattern.empty()) {
    std::string_view wanted = next_segment(pattern);
    if (is_param(wanted) && wanted.ends_with("...}")) {
      if (!path.empty()) path.remove_prefix(1);
      auto rest = percent_decode(path);
      if (!rest) return Fit::badly_encoded;
      std::string_view name = param_name(wanted);
      params.add(name.substr(0, name.size() - 3), std::move(*rest));
      return Fit::yes;
    }
    if (path.empty()) return Fit::no;
    auto found = percent_decode(next_segment(path));
    if (!found) return Fit::badly_encoded;
    if (!is_param(wanted)) {
      if (*found != wanted) return Fit::no;
    } else {
      if (found->empty()) return Fit::no;
      params.add(param_name(wanted), std::move(*found));
    }
  }
  return path.empty() || path == "/" ? Fit::yes : Fit::no;
}

// Orders patterns so that the first that fits is the most literal one: at the first difference a literal segment comes
// before {name}, and {name} before {rest...}.
std::vector<int> shape(std::string_view pattern) {
  std::vector<int> kinds;
  while (!pattern.empty()) {
    std::string_view segment = next_segment(pattern);
    kinds.push_back(!is_param(segment) ? 0 : segment.ends_with("...}") ? 2 : 1);
  }
  return kinds;
}

bool answers(const Route& route, std::string_view method) {
  return route.method == "*" || route.method == method || (route.method == "GET" && method == "HEAD");
}

Response problem(int status, std::string_view what) {
  return Response::json(status, "{\"error\": " + log::json_string(what) + ", \"errorStackTrace\": \"\"}");
}

std::string shown(const Request& request) { return std::string(request.method) + " " + std::string(request.path); }

}  // namespace

Result<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0))
      return fail(Why::invalid, "\"" + std::string(text) + "\" is badly percent-encoded at byte " + std::to_string(i));
    decoded += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return decoded;
}

std::optional<std::string> query_param(std::string_view query, std::string_view name) {
  auto decode = [](std::string_view part) {
    std::string blanks{part};
    std::ranges::replace(blanks, '+', ' ');
    return percent_decode(blanks);
  };
  while (!query.empty()) {
    std::size_t end = std::min(query.find('&'), query.size());
    std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    std::size_t equals = std::min(pair.find('='), pair.size());
    auto key = decode(pair.substr(0, equals));
    if (!key || *key != name) continue;
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!value) return std::nullopt;
    return std::move(*value);
  }
  return std::nullopt;
}

const std::string& PathParams::get(std::string_view name) const {
  auto found = std::ranges::find(values_, name, [](const auto& value) { return value.first; });
  CHECK(found != values_.end());
  return found->second;
}

Router::Router(std::vector<Route> routes) {
  for (Route& route : routes) {
    CHECK(route.pattern.starts_with('/') && route.function);
    auto place = std::ranges::upper_bound(routes_, shape(route.pattern), {},
                                          [](const Route& other) { return shape(other.pattern); });
    routes_.insert(place, std::move(route));
  }
}

Task<Response> Router::handle(Request& request) {
  std::string allowed;
  for (const Route& route : routes_) {
    PathParams params;
    switch (fit(route.pattern, request.path, params)) {
      case Fit::no: continue;
      case Fit::badly_encoded: co_return problem(400, "the path of " + shown(request) + " is badly percent-encoded");
      case Fit::yes: break;
    }
    if (answers(route, request.method)) co_return co_await route.function(request, params);
    if (allowed.find(route.method) != std::string::npos) continue;
    if (!allowed.empty()) allowed += ", ";
    allowed += route.method;
    if (route.method == "GET") allowed += ", HEAD";
  }
  if (allowed.empty()) co_return problem(404, "there is nothing at " + shown(request));
  Response response = problem(405, shown(request) + " is not possible; " + allowed + " is");
  response.headers.add("Allow", allowed);
  co_return response;
}

}  // namespace nuclio::http
