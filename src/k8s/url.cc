// SPDX-License-Identifier: Apache-2.0
#include "k8s/url.h"

#include <cctype>

namespace nuclio::k8s {

std::string encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte < 0x80 && std::isalnum(byte)) || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  // A part that is a step upwards must not be taken for one.
  return out == "." ? "%2E" : out == ".." ? "%2E%2E" : out;
}

void add_query(std::string& path, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  path += path.find('?') == std::string::npos ? '?' : '&';
  path.append(name).append("=").append(encoded(value));
}

}  // namespace nuclio::k8s
