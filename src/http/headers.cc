// SPDX-License-Identifier: Apache-2.0
#include "http/headers.h"

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "http/characters.h"
#include "http/writer.h"

namespace nuclio::http {
namespace {

constexpr std::size_t kFirstText = 64;  // of Headers: a field or two

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

bool same_letters_ignoring_case(const char* a, const char* b, std::size_t size) {
  return std::equal(a, a + size, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    std::size_t comma = std::min(list.find(','), list.size());
    if (same_ignoring_case(trimmed(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

bool is_header_name(std::string_view name) { return !name.empty() && all_token_characters(name); }

bool is_header_value(std::string_view value) {
  return all_value_characters(value) && trimmed(value).size() == value.size();
}

std::string_view HeaderViews::get(std::string_view name) const {
  for (const Header& field : fields_)
    if (same_ignoring_case(field.name, name)) return field.value;
  return {};
}

bool HeaderViews::has(std::string_view name) const {
  return std::ranges::any_of(fields_, [&](const Header& field) { return same_ignoring_case(field.name, name); });
}

bool Headers::add(std::string_view name, std::string_view value) {
  value = trimmed(value);
  if (!is_header_name(name) || !all_value_characters(value)) {
    log::warn(
        "A header field was left out: its name must be a token and its value free of line ends and control "
        "characters",
        {{"name", name}, {"value", value}});
    return false;
  }
  std::size_t before = text_.size();
  std::size_t size = before + name.size() + value.size() + std::string_view(": \r\n").size();
  if (size > text_.capacity()) text_.reserve(std::max(size, kFirstText));
  text_.resize_and_overwrite(size, [&](char* text, std::size_t all) {
    Writer{text + before} << name << ": " << value << "\r\n";
    return all;
  });
  name_sizes_ |= size_bit(name.size());
  return true;
}

bool Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  return add(name, value);
}

void Headers::remove(std::string_view name) {
  std::string kept;
  for (Header field : *this)
    if (!same_ignoring_case(field.name, name)) kept.append(field.name).append(": ").append(field.value).append("\r\n");
  text_ = std::move(kept);
}

std::string_view Headers::get(std::string_view name) const {
  for (Header field : *this)
    if (same_ignoring_case(field.name, name)) return field.value;
  return {};
}

bool Headers::has(std::string_view name) const {
  for (Header field : *this)
    if (same_ignoring_case(field.name, name)) return true;
  return false;
}

// What add() wrote: a name has no colon, and after the colon comes one space.
Header Headers::Iterator::operator*() const {
  std::size_t colon = rest_.find(':');
  std::size_t line_end = rest_.find("\r\n", colon);
  return {rest_.substr(0, colon), rest_.substr(colon + 2, line_end - colon - 2)};
}

Headers::Iterator& Headers::Iterator::operator++() {
  rest_.remove_prefix(rest_.find("\r\n") + 2);
  return *this;
}

}  // namespace nuclio::http
