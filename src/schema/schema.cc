// SPDX-License-Identifier: Apache-2.0
#include "schema/schema.h"

#include <algorithm>

namespace nuclio::schema {

std::string text(const Problem& problem) {
  return problem.path.empty() ? problem.message : problem.path + " " + problem.message;
}

std::string text(const std::vector<Problem>& problems) {
  std::string lines;
  for (const Problem& problem : problems) {
    if (!lines.empty()) lines += '\n';
    lines += text(problem);
  }
  return lines;
}

std::string join(std::string_view path, std::string_view key) {
  const bool plain = !key.empty() && std::ranges::all_of(key, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  std::string joined{path};
  if (!plain) return joined.append("[\"").append(key.substr(0, 100)).append("\"]");
  if (!path.empty()) joined += '.';
  return joined.append(key);
}

}  // namespace nuclio::schema
