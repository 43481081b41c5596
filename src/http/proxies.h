// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "http/client.h"

namespace nuclio::http {

// The proxies of an environment, by the names that curl, git and others read: http_proxy, https_proxy, all_proxy and
// no_proxy, or the same in capitals. A program that serves strangers does not use those that it finds: what is asked
// for a stranger would reach what only the proxy reaches.
struct Proxies {
  std::string http;   // for http: URLs; "" for none
  std::string https;  // for https: URLs, which it is asked to connect to
  // Hosts that are asked without, with commas between: "*", a name with all beneath it, with or without a dot in
  // front, an address, a network such as 10.0.0.0/8; each may end in ":port". This machine is always among them.
  std::string except;
};
// `environment` is "NAME=value"; small letters win.
Proxies proxies_of(const std::vector<std::string>& environment);

// The proxy for a URL, or "".
std::string proxy_for(const Proxies& proxies, std::string_view url);

// Sends the request through the proxy for its URL, where there is one. What it may reach is then the proxy's to say,
// since the only address that we see is the proxy's own.
void go_through(ClientRequest& request, const Proxies& proxies);

}  // namespace nuclio::http
