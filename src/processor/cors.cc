// SPDX-License-Identifier: Apache-2.0
#include "processor/cors.h"

#include <algorithm>

#include "http/characters.h"

namespace nuclio::processor {
namespace {

constexpr std::string_view kAny = "*";

std::string joined(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && http::is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && http::is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

CorsPolicy::CorsPolicy(const spec::Cors& config)
    : config_(config),
      any_origin_(contains(config.allow_origins, kAny)),
      any_method_(contains(config.allow_methods, kAny)),
      any_header_(contains(config.allow_headers, kAny)),
      methods_(joined(config.allow_methods)),
      allow_headers_(joined(config.allow_headers)),
      expose_headers_(joined(config.expose_headers)) {}

bool CorsPolicy::is_preflight(const http::Request& request) const {
  return request.method == config_.preflight_request_method && request.headers.has("Access-Control-Request-Method");
}

http::Response CorsPolicy::answer_preflight(const http::Request& request) const {
  std::string_view origin = request.headers.get("Origin");
  std::string_view method = request.headers.get("Access-Control-Request-Method");
  std::string_view asked_headers = request.headers.get("Access-Control-Request-Headers");
  bool allowed = origin_allowed(origin) && method_allowed(method) && headers_allowed(asked_headers);

  http::Response response = http::Response::empty(allowed ? 200 : 400);
  response.headers.add("Vary", "Origin");
  response.headers.add("Vary", "Access-Control-Request-Method");
  response.headers.add("Vary", "Access-Control-Request-Headers");
  if (!allowed) return response;

  // A wildcard is answered with what was asked for: with credentials browsers take "*" for a name.
  add_origin(response.headers, origin);
  response.headers.add("Access-Control-Allow-Methods", any_method_ ? method : std::string_view{methods_});
  response.headers.add("Access-Control-Allow-Headers", any_header_ ? asked_headers : std::string_view{allow_headers_});
  if (config_.preflight_max_age_seconds.value_or(-1) >= 0)
    response.headers.add("Access-Control-Max-Age", std::to_string(*config_.preflight_max_age_seconds));
  return response;
}

void CorsPolicy::add_to(http::Headers& headers, std::string_view origin) const {
  // Also for those that may not read it: a cache must not hand one origin's answer to another.
  if (!any_origin_ || config_.allow_credentials) headers.add("Vary", "Origin");
  if (!origin_allowed(origin)) return;
  add_origin(headers, origin);
  if (!expose_headers_.empty()) headers.set("Access-Control-Expose-Headers", expose_headers_);
}

void CorsPolicy::add_origin(http::Headers& headers, std::string_view origin) const {
  headers.set("Access-Control-Allow-Origin", any_origin_ && !config_.allow_credentials ? kAny : origin);
  if (config_.allow_credentials) headers.set("Access-Control-Allow-Credentials", "true");
}

bool CorsPolicy::origin_allowed(std::string_view origin) const {
  return !origin.empty() && (any_origin_ || contains(config_.allow_origins, origin));
}

bool CorsPolicy::method_allowed(std::string_view method) const {
  return any_method_ || contains(config_.allow_methods, method);
}

bool CorsPolicy::headers_allowed(std::string_view list) const {
  while (!any_header_ && !list.empty()) {
    std::size_t comma = std::min(list.find(','), list.size());
    std::string_view asked = trimmed(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    bool allowed = std::ranges::any_of(config_.allow_headers,
                                       [&](const std::string& one) { return http::same_ignoring_case(one, asked); });
    if (!asked.empty() && !allowed) return false;
  }
  return true;
}

}  // namespace nuclio::processor
