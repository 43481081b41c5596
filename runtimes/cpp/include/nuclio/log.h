// SPDX-License-Identifier: Apache-2.0
// The function's log.
#pragma once
#include <nuclio/abi.h>
#include <nuclio/event.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace nuclio {

namespace detail {

// The length of the UTF-8 character at the beginning of `text`, or 0 when there is none.
inline std::size_t character_length(std::string_view text) {
  auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;  // a byte that only follows others, or a form that is longer than need be
  if (first < 0xe0) return follows(1) ? 2 : 0;
  if (first < 0xf0) {
    const bool fits = !(first == 0xe0 && second < 0xa0) && !(first == 0xed && second > 0x9f);  // too long; a surrogate
    return fits && follows(1) && follows(2) ? 3 : 0;
  }
  if (first < 0xf5) {
    const bool fits =
        !(first == 0xf0 && second < 0x90) && !(first == 0xf4 && second > 0x8f);  // too long; above U+10FFFF
    return fits && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

// Bytes that are no UTF-8 become U+FFFD: one strange header must not make the line unreadable to whoever collects it.
inline void append_json(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const char c = text.front();
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (length == 1 && static_cast<unsigned char>(c) < 0x20) {
      const char* digits = "0123456789abcdef";
      out += "\\u00";
      out += digits[c >> 4];
      out += digits[c & 15];
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

}  // namespace detail

// A value beside a message: a number, a truth or a text. Borrows the text.
class Value final {
 public:
  template <typename T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
  Value(T number) {
    if constexpr (std::is_same_v<T, bool>) {
      kind_ = number ? Kind::yes : Kind::no;
    } else if constexpr (std::is_floating_point_v<T>) {
      kind_ = Kind::real;
      real_ = static_cast<double>(number);
    } else if constexpr (std::is_signed_v<T>) {
      kind_ = Kind::whole;
      whole_ = number;
    } else {
      kind_ = Kind::natural;
      natural_ = number;
    }
  }
  template <typename T, std::enable_if_t<std::is_convertible_v<const T&, std::string_view>, int> = 0>
  Value(const T& text) : kind_(Kind::text), text_(text) {}

  void append_to(std::string& json) const {
    switch (kind_) {
      case Kind::yes: json += "true"; return;
      case Kind::no: json += "false"; return;
      case Kind::whole: return append_number(json, whole_);
      case Kind::natural: return append_number(json, natural_);
      case Kind::real:
        return real_ - real_ == 0 ? append_number(json, real_) : void(json += "null");  // JSON has no NaN
      case Kind::text: return detail::append_json(json, text_);
    }
  }

 private:
  enum class Kind { yes, no, whole, natural, real, text };

  template <typename T>
  static void append_number(std::string& json, T number) {
    char digits[32];
    json.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  }

  Kind kind_ = Kind::no;
  union {
    std::int64_t whole_ = 0;
    std::uint64_t natural_;
    double real_;
  };
  std::string_view text_;
};

struct Variable {
  std::string_view name;
  Value value;
};

// Writes lines such as logger.info("resized", {{"width", 640}, {"path", event.path()}}). From any thread, while the
// worker lives.
class Logger final {
 public:
  using Variables = std::initializer_list<Variable>;

  Logger(const nuclio_host& table, void* host) : table_(&table), host_(host) {}

  void debug(std::string_view message, Variables variables = {}) const { log(NUCLIO_DEBUG, message, variables); }
  void info(std::string_view message, Variables variables = {}) const { log(NUCLIO_INFO, message, variables); }
  void warn(std::string_view message, Variables variables = {}) const { log(NUCLIO_WARN, message, variables); }
  void error(std::string_view message, Variables variables = {}) const { log(NUCLIO_ERROR, message, variables); }

 private:
  void log(nuclio_level level, std::string_view message, Variables variables) const {
    std::string json;
    for (const Variable& variable : variables) {
      json += json.empty() ? "{" : ", ";
      detail::append_json(json, variable.name);
      json += ": ";
      variable.value.append_to(json);
    }
    if (!json.empty()) json += '}';
    table_->log(host_, level, detail::text(message), detail::text(json));
  }

  const nuclio_host* table_;
  void* host_;
};

}  // namespace nuclio
