// SPDX-License-Identifier: Apache-2.0
#include "oci/url.h"

#include <algorithm>

namespace nuclio::oci {

std::string Url::host() const {
  if (authority.starts_with('[')) return authority.substr(1, authority.find(']') - 1);
  return authority.substr(0, authority.find(':'));
}

Result<Url> parse_url(std::string_view text) {
  // It is not quoted: it may hold a token in its query.
  const auto wrong = [](const char* says) { return fail(Why::invalid, std::string("a URL ") + says); };
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return wrong("must begin with http:// or https://");
  std::string begin(text.substr(0, colon));
  std::ranges::transform(begin, begin.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  url.scheme = begin;
  if (url.scheme != "http" && url.scheme != "https") return wrong("must begin with http:// or https://");
  text.remove_prefix(colon + 3);
  if (std::ranges::any_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f || c == '\\'; }))
    return wrong("must not have blanks, backslashes or control characters");
  const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
  url.authority = text.substr(0, end);
  if (url.authority.empty()) return wrong("must name a host");
  if (url.authority.find('@') != std::string::npos) return wrong("must not have a user name in it");
  std::ranges::transform(url.authority, url.authority.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string own_port = url.scheme == "http" ? ":80" : ":443";
  if (url.authority.ends_with(own_port)) url.authority.resize(url.authority.size() - own_port.size());
  url.target = text.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  url.target = url.target.substr(0, url.target.find('#'));
  return url;
}

Result<Url> resolve(const Url& base, std::string_view location) {
  if (location.starts_with("//")) return parse_url(base.scheme + ":" + std::string(location));
  if (location.starts_with('/')) return parse_url(base.scheme + "://" + base.authority + std::string(location));
  return parse_url(location);
}

bool is_loopback_name(std::string_view host) {
  const bool is_ip4 = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host.ends_with(".localhost") || (is_ip4 && host.starts_with("127.")) || host == "::1";
}

http::Reach reach_from(const Url& home) {
  return is_loopback_name(home.host()) ? http::Reach::not_link_local : http::Reach::beyond_this_machine;
}

std::string percent_encode(std::string_view text, std::string_view kept) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kept.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += "0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4];
      out += "0123456789ABCDEF"[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

void add_query(std::string& url, std::string_view name, std::string_view value) {
  url += url.find('?') == std::string::npos ? '?' : '&';
  url += std::string(name) + "=" + percent_encode(value);
}

}  // namespace nuclio::oci
