// SPDX-License-Identifier: Apache-2.0
#include "nuctl/table.h"

#include <algorithm>
#include <cctype>

namespace nuclio::nuctl {
namespace {

// Terminal columns, near enough: code points.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string Table::text() const {
  std::vector<std::vector<std::string>> lines{titles_};
  for (std::string& title : lines.front())
    std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) { return std::toupper(c); });
  lines.insert(lines.end(), rows_.begin(), rows_.end());

  std::vector<std::size_t> widths(titles_.size(), 0);
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], columns(line[i]));

  std::string out;
  for (const auto& line : lines) {
    std::string text = "  ";
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (i > 0) text += " | ";
      text += line[i] + std::string(widths[i] - columns(line[i]), ' ');
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

}  // namespace nuclio::nuctl
