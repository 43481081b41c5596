// SPDX-License-Identifier: Apache-2.0
#include "schema/text_position.h"

#include <algorithm>

namespace nuclio::schema {

std::string position(std::size_t line, std::size_t column) {
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::string position(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t last_break = before.rfind('\n');
  const std::size_t column = last_break == std::string_view::npos ? before.size() + 1 : before.size() - last_break;
  return position(1 + static_cast<std::size_t>(std::ranges::count(before, '\n')), column);
}

}  // namespace nuclio::schema
