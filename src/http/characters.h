// SPDX-License-Identifier: Apache-2.0
// Which characters may stand where in HTTP (RFC 9110, RFC 9112).
#pragma once
#include <array>
#include <string_view>

namespace nuclio::http {

namespace detail {
enum : unsigned char { kToken = 1, kValue = 2, kTarget = 4, kHost = 8 };
constexpr auto kCharacters = [] {
  std::array<unsigned char, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    bool control = c < 0x20 || c == 0x7f;
    if (!control || c == '\t') table[c] |= kValue;
    // Bytes above ASCII are not allowed in a target, but clients send UTF-8 there and Nuclio's functions get it.
    if (!control && c != ' ' && c != '#') table[c] |= kTarget | kHost;
  }
  for (unsigned char c : std::string_view("/?@\"<>\\^`{|}")) table[c] &= ~kHost;
  for (unsigned char c :
       std::string_view("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
    table[c] |= kToken;
  return table;
}();
constexpr bool is(char c, unsigned char kind) { return kCharacters[static_cast<unsigned char>(c)] & kind; }
// To the end whatever is found: texts are short and nearly always good, and so there is no branch a character.
constexpr bool all(std::string_view text, unsigned char kind) {
  for (char c : text) kind &= kCharacters[static_cast<unsigned char>(c)];
  return kind != 0;
}
}  // namespace detail

constexpr bool is_token_character(char c) { return detail::is(c, detail::kToken); }
constexpr bool is_value_character(char c) { return detail::is(c, detail::kValue); }
constexpr bool is_target_character(char c) { return detail::is(c, detail::kTarget); }
constexpr bool is_host_character(char c) { return detail::is(c, detail::kHost); }
// True for "" as well.
constexpr bool all_token_characters(std::string_view text) { return detail::all(text, detail::kToken); }
constexpr bool all_value_characters(std::string_view text) { return detail::all(text, detail::kValue); }
constexpr bool all_host_characters(std::string_view text) { return detail::all(text, detail::kHost); }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
// -1 when it is no hexadecimal digit.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  char small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

}  // namespace nuclio::http
