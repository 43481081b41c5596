// SPDX-License-Identifier: Apache-2.0
#include "oci/range.h"

#include <charconv>

namespace nuclio::oci {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

std::optional<std::uint64_t> range_begin(std::string_view content_range) {
  if (!content_range.starts_with("bytes ")) return {};
  content_range.remove_prefix(6);
  return parse_number(content_range.substr(0, content_range.find('-')));
}

std::optional<std::uint64_t> range_received(std::string_view range) {
  if (range.starts_with("bytes=")) range.remove_prefix(6);
  if (!range.starts_with("0-")) return {};
  const auto last = parse_number(range.substr(2));
  if (!last || *last == UINT64_MAX) return {};
  return *last == 0 ? 0 : *last + 1;
}

}  // namespace nuclio::oci
