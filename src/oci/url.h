// SPDX-License-Identifier: Apache-2.0
// The little that following a registry's Location, realm and redirects needs to know of URLs.
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client.h"

namespace nuclio::oci {

struct Url {
  std::string scheme;     // "http" or "https"
  std::string authority;  // small letters, without the scheme's own port: "registry.local:5000"
  std::string target;     // path and query, begins with '/'
  std::string text() const { return scheme + "://" + authority + target; }
  std::string host() const;  // without port and brackets
  bool same_origin(const Url& other) const { return scheme == other.scheme && authority == other.authority; }
};

// Why::invalid for what is not an absolute http or https URL, and for one with a user in it.
Result<Url> parse_url(std::string_view text);

// Where a Location leads that came from `base`: it is a URL, or a path on the same server.
Result<Url> resolve(const Url& base, std::string_view location);

// What a server elsewhere may be, to which the one at `home` leads: not on this machine unless that is, and nothing
// link-local.
http::Reach reach_from(const Url& home);

// Whether a host is this machine by its name: localhost, names beneath it, loopback addresses.
bool is_loopback_name(std::string_view host);

// Adds name=value to a URL's query, with the value percent-encoded.
void add_query(std::string& url, std::string_view name, std::string_view value);
// All but letters, digits and what is in `kept`.
std::string percent_encode(std::string_view text, std::string_view kept = "-._~/:");

}  // namespace nuclio::oci
