// SPDX-License-Identifier: Apache-2.0
#include "dashboard/guard.h"

#include <arpa/inet.h>

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

}  // namespace

bool is_loopback(std::string_view host) {
  if (http::same_ignoring_case(host, "localhost")) return true;
  std::string text{host};
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

Result<void> check_caller(const http::Request& request, Hosts hosts) {
  std::string_view host = request.headers.get("Host");
  if (hosts == Hosts::this_machine && !is_loopback(host_of(host)))
    return fail(Why::forbidden,
                "the dashboard is reached as localhost or 127.0.0.1, not as \"" + std::string(host) + "\"");
  bool reads = request.method == "GET" || request.method == "HEAD";
  std::string_view origin = request.headers.get("Origin");
  if (reads || origin.empty()) return {};
  std::size_t mark = origin.find("://");
  if (mark != std::string_view::npos && http::same_ignoring_case(origin.substr(mark + 3), host)) return {};
  return fail(Why::forbidden, "a page from " + std::string(origin) + " may not change anything here");
}

Task<http::Response> Guard::handle(http::Request& request) {
  auto allowed = check_caller(request, hosts_);
  if (!allowed) co_return http::Response::error(allowed.error());
  co_return co_await behind_.handle(request);
}

}  // namespace nuclio::dashboard
