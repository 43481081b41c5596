// SPDX-License-Identifier: Apache-2.0
#include "schema/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <optional>

namespace nuclio::schema {
namespace {

namespace json = boost::json;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

template <class N, class... Format>
std::optional<N> whole(std::string_view text, Format... format) {
  N value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, format...);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<json::value> number(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text.substr(negative || text.starts_with('+') ? 1 : 0);
  int base = 10;
  if (digits.starts_with("0x"))
    base = 16;
  else if (digits.starts_with("0o"))
    base = 8;
  else if (digits.starts_with("0b"))
    base = 2;
  if (base != 10)
    digits.remove_prefix(2);
  else if (digits.size() > 1 && digits[0] == '0' && std::ranges::all_of(digits, is_digit))
    base = 8;  // as file modes are written: 0644
  if (digits.empty() || digits[0] == '-' || digits[0] == '+') return std::nullopt;
  if (const auto value = whole<std::uint64_t>(digits, base)) {
    if (!negative && *value > INT64_MAX) return json::value(*value);
    if (*value <= INT64_MAX)
      return json::value(negative ? -static_cast<std::int64_t>(*value) : static_cast<std::int64_t>(*value));
  }
  // Only the shape of a decimal number, not from_chars' "inf" and "nan", which JSON cannot hold.
  if (base != 10 || !(is_digit(digits[0]) || (digits[0] == '.' && digits.size() > 1 && is_digit(digits[1]))))
    return std::nullopt;
  const auto value = whole<double>(digits);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return json::value(negative ? -*value : *value);
}

bool is_word_with_meaning(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
  return std::ranges::any_of(kWords, [&](std::string_view word) {
    return std::ranges::equal(word, text, {}, {},
                              [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  });
}

}  // namespace

json::value plain_scalar(std::string_view text) {
  for (const std::string_view word : {"", "~", "null", "Null", "NULL"})
    if (text == word) return nullptr;
  for (const std::string_view word : {"true", "True", "TRUE"})
    if (text == word) return true;
  for (const std::string_view word : {"false", "False", "FALSE"})
    if (text == word) return false;
  if (auto value = number(text)) return *std::move(value);
  return json::value(json::string_view(text.data(), text.size()));
}

bool is_plain_text(std::string_view text) {
  if (text.empty() || text.size() > 1000 || is_word_with_meaning(text)) return false;
  if (!is_letter(text.front()) && text.front() != '/' && text.front() != '_') return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  if (text.find(": ") != std::string_view::npos) return false;
  return std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("_-./:@+=() ").find(c) != std::string_view::npos;
  });
}

}  // namespace nuclio::schema
