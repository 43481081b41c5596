// SPDX-License-Identifier: Apache-2.0
#include "base/duration.h"

#include <cctype>
#include <cstdint>
#include <limits>
#include <optional>

namespace nuclio {
namespace {

using Wide = unsigned __int128;

constexpr std::uint64_t kNanosecondsASecond = 1'000'000'000;
constexpr Wide kMost = static_cast<Wide>(std::numeric_limits<std::int64_t>::max());

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};
// "ms" stands before "m" so that the longer name is tried first. The two micro signs are U+00B5 and U+03BC.
constexpr Unit kUnits[] = {{"ns", 1},
                           {"us", 1'000},
                           {"\u00b5s", 1'000},
                           {"\u03bcs", 1'000},
                           {"ms", 1'000'000},
                           {"s", kNanosecondsASecond},
                           {"m", 60 * kNanosecondsASecond},
                           {"h", 3600 * kNanosecondsASecond}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes one "12.5m" off the front of `text`.
std::optional<Wide> take_part(std::string_view& text) {
  Wide whole = 0;
  Wide fraction = 0;
  Wide scale = 1;
  bool any = false;
  std::size_t at = 0;
  for (; at < text.size() && is_digit(text[at]); ++at, any = true) {
    whole = whole * 10 + static_cast<unsigned>(text[at] - '0');
    if (whole > kMost) return std::nullopt;
  }
  if (at < text.size() && text[at] == '.') {
    // Digits beyond a millionth of a nanosecond of an hour cannot change the result.
    for (++at; at < text.size() && is_digit(text[at]); ++at, any = true) {
      if (scale >= Wide{1'000'000'000'000'000'000}) continue;
      fraction = fraction * 10 + static_cast<unsigned>(text[at] - '0');
      scale *= 10;
    }
  }
  if (!any) return std::nullopt;
  text.remove_prefix(at);
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return whole * unit.nanoseconds + fraction * unit.nanoseconds / scale;
  }
  return std::nullopt;
}

std::string with_fraction(std::uint64_t value, std::uint64_t unit, std::string_view name) {
  std::string text = std::to_string(value / unit);
  std::string digits = std::to_string(value % unit + unit).substr(1);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (!digits.empty()) text += "." + digits;
  return text.append(name);
}

}  // namespace

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const auto wrong = [whole = std::string(text)] {
    return fail(Why::invalid, "must be a duration such as 500ms, 10s or 1h30m, is \"" + whole + "\"");
  };
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds{0};
  if (text.empty()) return wrong();
  Wide total = 0;
  while (!text.empty()) {
    const auto part = take_part(text);
    if (!part) return wrong();
    total += *part;
    if (total > kMost) return wrong();
  }
  const auto count = static_cast<std::int64_t>(total);
  return std::chrono::nanoseconds{negative ? -count : count};
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const std::int64_t count = duration.count();
  if (count == 0) return "0s";
  // Negating in unsigned arithmetic keeps the lowest value defined.
  const std::uint64_t value = count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  std::string text = count < 0 ? "-" : "";
  if (value < 1'000) return text + with_fraction(value, 1, "ns");
  if (value < 1'000'000) return text + with_fraction(value, 1'000, "\u00b5s");
  if (value < kNanosecondsASecond) return text + with_fraction(value, 1'000'000, "ms");
  const std::uint64_t minutes = value / (60 * kNanosecondsASecond);
  if (minutes >= 60) text += std::to_string(minutes / 60) + "h";
  if (minutes > 0) text += std::to_string(minutes % 60) + "m";
  return text + with_fraction(value % (60 * kNanosecondsASecond), kNanosecondsASecond, "s");
}

}  // namespace nuclio
