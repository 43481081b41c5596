// SPDX-License-Identifier: Apache-2.0
#include "dashboard/guard.h"

#include <arpa/inet.h>

#include <algorithm>

#include "http/headers.h"

namespace nuclio::dashboard {
namespace {

// "localhost:8070" is "localhost", "[::1]:8070" is "::1".
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    std::size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string_view{} : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

bool is_allowed(std::string_view origin, const GuardOptions& options) {
  return std::ranges::find(options.allowed_origins, origin) != options.allowed_origins.end();
}

http::Response preflight(const http::Request& request) {
  http::Response out = http::Response::empty(204);
  out.headers.set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
  out.headers.set("Access-Control-Allow-Headers", request.headers.get("Access-Control-Request-Headers"));
  out.headers.set("Access-Control-Max-Age", "600");
  return out;
}

void harden(http::Headers& headers) {
  const auto set = [&](std::string_view name, std::string_view value) {
    if (!headers.has(name)) headers.set(name, value);
  };
  set("X-Content-Type-Options", "nosniff");
  set("X-Frame-Options", "DENY");
  set("Referrer-Policy", "same-origin");
  set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  set("Cache-Control", "no-store");
}

}  // namespace

bool is_loopback(std::string_view host) {
  if (http::same_ignoring_case(host, "localhost")) return true;
  std::string text{host};
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

Result<void> check_caller(const http::Request& request, const GuardOptions& options) {
  std::string_view host = request.headers.get("Host");
  if (options.hosts == Hosts::this_machine && !is_loopback(host_of(host)))
    return fail(Why::forbidden,
                "the dashboard is reached as localhost or 127.0.0.1, not as \"" + std::string(host) + "\"");
  bool reads = request.method == "GET" || request.method == "HEAD";
  std::string_view origin = request.headers.get("Origin");
  if (reads || origin.empty() || is_allowed(origin, options)) return {};
  std::size_t mark = origin.find("://");
  if (mark != std::string_view::npos && http::same_ignoring_case(origin.substr(mark + 3), host)) return {};
  return fail(Why::forbidden, "a page from " + std::string(origin) + " may not change anything here");
}

Task<http::Response> Guard::handle(http::Request& request) {
  auto allowed = check_caller(request, options_);
  const std::string_view origin = request.headers.get("Origin");
  const bool from_elsewhere = !origin.empty() && is_allowed(origin, options_);
  http::Response response;
  if (!allowed) {
    response = http::Response::error(allowed.error());
  } else if (from_elsewhere && request.method == "OPTIONS" && request.headers.has("Access-Control-Request-Method")) {
    response = preflight(request);
  } else {
    response = co_await behind_.handle(request);
  }
  if (from_elsewhere) {
    response.headers.set("Access-Control-Allow-Origin", origin);
    response.headers.add("Vary", "Origin");
  }
  harden(response.headers);
  co_return response;
}

}  // namespace nuclio::dashboard
