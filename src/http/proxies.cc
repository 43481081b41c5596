// SPDX-License-Identifier: Apache-2.0
#include "http/proxies.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <optional>

namespace nuclio::http {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

struct Place {
  std::string scheme;
  std::string host;  // without brackets, in small letters
  std::string port;
};

// "host:port", "[::1]:port", "host".
void split_authority(std::string_view authority, Place& place) {
  if (authority.starts_with('[')) {
    const std::size_t end = std::min(authority.find(']'), authority.size());
    place.host = lower(authority.substr(1, end - 1));
    authority.remove_prefix(std::min(end + 1, authority.size()));
    if (authority.starts_with(':')) place.port = authority.substr(1);
    return;
  }
  const std::size_t colon = authority.find(':');
  // More than one is an address of version 6 without brackets.
  if (colon != std::string_view::npos && authority.find(':', colon + 1) == std::string_view::npos) {
    place.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  place.host = lower(authority);
}

Place place_of(std::string_view url) {
  Place place;
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return place;
  place.scheme = lower(url.substr(0, scheme));
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  split_authority(url, place);
  if (place.port.empty()) place.port = place.scheme == "https" ? "443" : "80";
  if (place.host.ends_with('.')) place.host.pop_back();
  return place;
}

std::optional<std::uint32_t> address_of(const std::string& host) {
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

bool in_network(const std::string& host, std::string_view network) {
  const std::size_t slash = network.find('/');
  const auto address = address_of(host);
  const auto base = address_of(std::string(network.substr(0, slash)));
  unsigned bits = 0;
  const std::string_view number = network.substr(slash + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
  if (!address || !base || error != std::errc{} || end != number.data() + number.size() || bits > 32) return false;
  const std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  return (*address & mask) == (*base & mask);
}

bool is_this_machine(const std::string& host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" || in_network(host, "127.0.0.0/8");
}

bool fits(std::string_view entry, const Place& place) {
  if (entry.empty()) return false;
  if (entry == "*") return true;
  if (entry.find('/') != std::string_view::npos) return in_network(place.host, entry);
  Place wanted;
  split_authority(entry, wanted);
  if (!wanted.port.empty() && wanted.port != place.port) return false;
  if (wanted.host.starts_with("*.")) wanted.host.erase(0, 1);
  if (wanted.host.starts_with('.')) wanted.host.erase(0, 1);
  if (wanted.host.empty()) return false;
  return place.host == wanted.host || place.host.ends_with("." + wanted.host);
}

}  // namespace

Proxies proxies_of(const std::vector<std::string>& environment) {
  const auto value = [&](std::string_view name) {
    std::string capitals;
    for (const unsigned char c : name) capitals += static_cast<char>(std::toupper(c));
    std::string found;
    for (const std::string& each : environment) {
      const std::size_t sign = std::min(each.find('='), each.size());
      const std::string_view its = std::string_view(each).substr(0, sign);
      if (sign == each.size() || (its != name && !(its == capitals && found.empty()))) continue;
      found = trimmed(std::string_view(each).substr(sign + 1));
    }
    return found;
  };
  const std::string all = value("all_proxy");
  Proxies proxies{value("http_proxy"), value("https_proxy"), value("no_proxy")};
  if (proxies.http.empty()) proxies.http = all;
  if (proxies.https.empty()) proxies.https = all;
  return proxies;
}

std::string proxy_for(const Proxies& proxies, std::string_view url) {
  const Place place = place_of(url);
  const std::string& proxy = place.scheme == "https" ? proxies.https : proxies.http;
  if (proxy.empty() || place.host.empty() || is_this_machine(place.host)) return {};
  for (std::string_view rest = proxies.except; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (fits(trimmed(rest.substr(0, comma)), place)) return {};
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return proxy;
}

void go_through(ClientRequest& request, const Proxies& proxies) {
  request.proxy = proxy_for(proxies, request.url);
  if (!request.proxy.empty()) request.reach = Reach::anywhere;
}

}  // namespace nuclio::http
