// SPDX-License-Identifier: Apache-2.0
#include "base/names.h"

#include <algorithm>
#include <array>
#include <vector>

namespace nuclio {
namespace {

constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestWord = 64;  // a longer text is no typing error of a known word
constexpr std::array<std::string_view, 4> kReserved = {"dashboard", "controller", "dlx", "scaler"};

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Edits that turn one word into the other; exchanging two neighbours is one edit.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

template <class Name>
Result<Name> parse_name(std::string_view what, std::string_view text) {
  TRY_DO(check_label(what, text));
  return Name{std::string(text)};
}

}  // namespace

Result<FunctionName> parse_function_name(std::string_view text) {
  return parse_name<FunctionName>("function name", text);
}
Result<ProjectName> parse_project_name(std::string_view text) { return parse_name<ProjectName>("project name", text); }
Result<Namespace> parse_namespace(std::string_view text) { return parse_name<Namespace>("namespace", text); }

Result<void> check_label(std::string_view what, std::string_view text) {
  const auto wrong = [&](std::string_view rule) {
    return fail(Why::invalid,
                std::string(what).append(" ").append(rule).append(", is \"").append(text.substr(0, 100)) + "\"");
  };
  if (text.empty()) return fail(Why::invalid, std::string(what) + " must not be empty");
  if (text.size() > kLongestLabel) return wrong("must have at most 63 characters, has " + std::to_string(text.size()));
  if (!std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; }))
    return wrong("must consist of lower-case letters, digits and '-'");
  if (!is_alphanumeric(text.front()) || !is_alphanumeric(text.back()))
    return wrong("must begin and end with a lower-case letter or a digit");
  return {};
}

Result<void> check_not_reserved(const FunctionName& name) {
  if (std::ranges::find(kReserved, name.value()) == kReserved.end()) return {};
  return fail(Why::precondition, "function name \"" + name.value() +
                                     "\" belongs to a service of the platform; choose another than dashboard, "
                                     "controller, dlx and scaler");
}

std::string_view nearest(std::string_view text, std::span<const std::string_view> known) {
  if (text.size() > kLongestWord) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, text.size() / 3) + 1;
  for (const std::string_view word : known) {
    if (word.size() > kLongestWord) continue;
    const std::size_t edits = distance(text, word);
    if (edits >= best_distance || edits >= word.size()) continue;
    best = word;
    best_distance = edits;
  }
  return best;
}

std::string did_you_mean(std::string_view text, std::span<const std::string_view> known) {
  const std::string_view word = nearest(text, known);
  return word.empty() ? "" : "; did you mean \"" + std::string(word) + "\"?";
}

}  // namespace nuclio
