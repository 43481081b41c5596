// SPDX-License-Identifier: Apache-2.0
#include "oci/challenge.h"

#include <algorithm>

#include "http/headers.h"

namespace nuclio::oci {
namespace {

constexpr std::size_t kLongest = 8 << 10;

// Reads RFC 9110's list of challenges: `Bearer realm="https://auth/token",service="reg", Basic realm="x"`.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool done() {
    skip_blanks();
    return text_.empty();
  }
  void skip_blanks() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\t' || text_[0] == ',')) text_.remove_prefix(1);
  }
  // A word, and whether "=" comes behind it, which makes it a parameter's name.
  std::string_view word(bool& is_parameter) {
    skip_blanks();
    const std::size_t end = std::min(text_.find_first_of(" \t,=\""), text_.size());
    const std::string_view word = text_.substr(0, end);
    text_.remove_prefix(end);
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\t')) text_.remove_prefix(1);
    is_parameter = text_.starts_with('=');
    if (is_parameter || (word.empty() && !text_.empty())) text_.remove_prefix(1);
    return word;
  }
  std::string value() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\t')) text_.remove_prefix(1);
    std::string out;
    if (!text_.starts_with('"')) {
      const std::size_t end = std::min(text_.find_first_of(" \t,"), text_.size());
      out = text_.substr(0, end);
      text_.remove_prefix(end);
      return out;
    }
    for (text_.remove_prefix(1); !text_.empty() && text_[0] != '"'; text_.remove_prefix(1)) {
      if (text_[0] == '\\' && text_.size() > 1) text_.remove_prefix(1);
      out += text_[0];
    }
    if (!text_.empty()) text_.remove_prefix(1);
    return out;
  }

 private:
  std::string_view text_;
};

}  // namespace

std::optional<Challenge> parse_challenge(std::string_view header) {
  Reader reader{header.substr(0, kLongest)};
  std::optional<Challenge> basic;
  std::optional<Challenge> bearer;
  Challenge* current = nullptr;
  while (!reader.done()) {
    bool is_parameter = false;
    const std::string_view word = reader.word(is_parameter);
    if (!is_parameter) {
      current = nullptr;
      if (http::same_ignoring_case(word, "basic") && !basic) current = &basic.emplace();
      if (http::same_ignoring_case(word, "bearer") && !bearer) {
        current = &bearer.emplace();
        current->scheme = Challenge::Scheme::bearer;
      }
      continue;
    }
    std::string value = reader.value();
    if (!current) continue;
    std::string* member = nullptr;
    if (http::same_ignoring_case(word, "realm")) member = &current->realm;
    if (http::same_ignoring_case(word, "service")) member = &current->service;
    if (http::same_ignoring_case(word, "error")) member = &current->error;
    if (member) *member = std::move(value);
  }
  if (bearer && !bearer->realm.empty()) return bearer;
  return basic;
}

}  // namespace nuclio::oci
