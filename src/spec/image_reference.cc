// SPDX-License-Identifier: Apache-2.0
#include "spec/image_reference.h"

#include <algorithm>

namespace nuclio::spec {
namespace {

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestTag = 128;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_small(char c) { return (c >= 'a' && c <= 'z') || is_digit(c); }
bool is_word(char c) { return is_small(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

// "Zone-1.registry.local:5000"
bool is_domain(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::ranges::all_of(port, is_digit)) return false;
  }
  std::string_view host = text.substr(0, colon);
  while (!host.empty()) {
    const std::size_t dot = host.find('.');
    const std::string_view label = host.substr(0, dot);
    const auto fits = [](char c) { return (is_word(c) && c != '_') || c == '-'; };
    if (label.empty() || label.front() == '-' || label.back() == '-' || !std::ranges::all_of(label, fits)) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
  return false;
}

// Small letters and digits, with ".", "_", "__" or dashes between them.
bool is_component(std::string_view text) {
  if (text.empty() || !is_small(text.front()) || !is_small(text.back())) return false;
  for (std::size_t at = 0; at < text.size();) {
    if (is_small(text[at])) {
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of(text[at], at), text.size());
    const std::size_t count = end - at;
    const bool fits = text[at] == '-' || (text[at] == '.' && count == 1) || (text[at] == '_' && count <= 2);
    if (!fits || !is_small(text[end])) return false;
    at = end;
  }
  return true;
}

bool is_path(std::string_view text) {
  while (true) {
    const std::size_t slash = text.find('/');
    if (!is_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool is_tag(std::string_view text) {
  const auto fits = [](char c) { return is_word(c) || c == '.' || c == '-'; };
  return !text.empty() && text.size() <= kLongestTag && is_word(text.front()) && std::ranges::all_of(text, fits);
}

bool is_digest(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view digits = text.substr(colon + 1);
  const auto is_hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  return std::ranges::all_of(text.substr(0, colon),
                             [](char c) { return is_word(c) || c == '+' || c == '.' || c == '-'; }) &&
         digits.size() >= 32 && digits.size() <= 128 && std::ranges::all_of(digits, is_hex);
}

}  // namespace

bool is_image_reference(std::string_view text) {
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    if (!is_digest(text.substr(at + 1))) return false;
    text = text.substr(0, at);
  }
  // A colon after the last slash begins a tag; one before it belongs to the registry's port.
  const std::size_t last_slash = text.rfind('/');
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && (last_slash == std::string_view::npos || colon > last_slash)) {
    if (!is_tag(text.substr(colon + 1))) return false;
    text = text.substr(0, colon);
  }
  if (text.size() > kLongestName) return false;
  const std::size_t slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  const bool has_domain =
      slash != std::string_view::npos && (first.find_first_of(".:") != std::string_view::npos || first == "localhost");
  if (!has_domain) return is_path(text);
  return is_domain(first) && is_path(text.substr(slash + 1));
}

}  // namespace nuclio::spec
