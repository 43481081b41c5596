// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nuclio::http {

// One header field. The views borrow from whatever the list that gave it borrows from or owns.
struct Header {
  std::string_view name;
  std::string_view value;
};

bool same_letters_ignoring_case(const char* a, const char* b, std::size_t size);
// ASCII only, as header names and tokens are compared.
inline bool same_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && same_letters_ignoring_case(a.data(), b.data(), a.size());
}

// True when `list`, a comma-separated header value, contains `token`: has_token("keep-alive, Upgrade", "upgrade").
bool has_token(std::string_view list, std::string_view token);

// A name is a token of RFC 9110; a value has neither control characters but tab, nor blanks at its ends.
bool is_header_name(std::string_view name);
bool is_header_value(std::string_view value);

// The header fields of a received request: order and spelling as received, borrowed from the connection's buffer, hence
// valid as long as the Request that holds them.
class HeaderViews {
 public:
  // The first field of that name, in any case; "" when there is none (an empty value looks the same: see has()).
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

  void add(Header field) { fields_.push_back(field); }
  void clear() { fields_.clear(); }

 private:
  std::vector<Header> fields_;  // keeps its memory from one request of a connection to the next
};

// Header fields that own their text, kept ready to be sent: "Name: value\r\n" after each other. What could not be sent
// safely (line ends, NUL, a name that is no token) never gets in.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> fields) {
    for (const Header& field : fields) add(field.name, field.value);
  }

  // Appends a field, also when there is one of that name. False, with a warning in the log, when name or value contain
  // what a header cannot: the field is left out. Blanks around the value are cut.
  bool add(std::string_view name, std::string_view value);
  // add() in place of all fields of that name.
  bool set(std::string_view name, std::string_view value);
  void remove(std::string_view name);

  // The first field of that name, in any case; "" when there is none. Valid until the next change.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  bool empty() const { return text_.empty(); }

  class Iterator {
   public:
    explicit Iterator(std::string_view rest) : rest_(rest) {}
    Header operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return rest_.size() == other.rest_.size(); }

   private:
    std::string_view rest_;
  };
  Iterator begin() const { return Iterator{text_}; }
  Iterator end() const { return Iterator{{}}; }

  // All fields as they are sent.
  const std::string& text() const { return text_; }
  // A bit for each length that a name here has (31: or more), or has had. Most names are told apart by their lengths.
  std::uint32_t name_sizes() const { return name_sizes_; }
  static constexpr std::uint32_t size_bit(std::size_t size) { return std::uint32_t{1} << (size < 31 ? size : 31); }

 private:
  std::string text_;
  std::uint32_t name_sizes_ = 0;
};

}  // namespace nuclio::http
