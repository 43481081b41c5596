// SPDX-License-Identifier: Apache-2.0
#include "controller/covers.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace nuclio::controller {
namespace {

namespace json = boost::json;

bool is_empty(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return true;
    case json::kind::bool_: return !value.get_bool();
    case json::kind::int64: return value.get_int64() == 0;
    case json::kind::uint64: return value.get_uint64() == 0;
    case json::kind::double_: return value.get_double() == 0;
    case json::kind::string: return value.get_string().empty();
    case json::kind::array: return value.get_array().empty();
    case json::kind::object:
      return std::ranges::all_of(value.get_object(), [](const auto& member) { return is_empty(member.value()); });
  }
  return false;
}

struct Suffix {
  std::string_view text;
  double factor;
};
constexpr std::array kSuffixes{Suffix{"n", 1e-9},
                               Suffix{"u", 1e-6},
                               Suffix{"m", 1e-3},
                               Suffix{"", 1},
                               Suffix{"k", 1e3},
                               Suffix{"M", 1e6},
                               Suffix{"G", 1e9},
                               Suffix{"T", 1e12},
                               Suffix{"P", 1e15},
                               Suffix{"E", 1e18},
                               Suffix{"Ki", 1024.0},
                               Suffix{"Mi", 1048576.0},
                               Suffix{"Gi", 1073741824.0},
                               Suffix{"Ti", 1099511627776.0},
                               Suffix{"Pi", 1125899906842624.0},
                               Suffix{"Ei", 1152921504606846976.0}};

// A Kubernetes quantity: "500m", "1Gi", "2e3", or a plain number.
std::optional<double> quantity(const json::value& value) {
  if (value.is_number()) return value.to_number<double>();
  if (!value.is_string()) return std::nullopt;
  const std::string_view text{value.get_string().data(), value.get_string().size()};
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Suffix& each : kSuffixes)
    if (each.text == suffix) return number * each.factor;
  return std::nullopt;
}

bool same_quantity(const json::value& actual, const json::value& desired) {
  const auto left = quantity(actual);
  const auto right = quantity(desired);
  if (!left || !right) return false;
  return std::abs(*left - *right) <= 1e-9 * std::max(std::abs(*left), std::abs(*right));
}

bool same_number(const json::value& actual, const json::value& desired) {
  return actual.is_number() && desired.is_number() && actual.to_number<double>() == desired.to_number<double>();
}

// Under these keys, at any depth, stand maps of quantities.
bool holds_quantities(std::string_view key) { return key == "limits" || key == "requests" || key == "sizeLimit"; }

bool covers_value(const json::value& actual, const json::value& desired, bool quantities);

bool covers_any(const json::array& actual, const json::array& desired) {
  return std::ranges::all_of(desired, [&](const json::value& wanted) {
    return std::ranges::any_of(actual,
                               [&](const json::value& present) { return covers_value(present, wanted, false); });
  });
}

bool covers_object(const json::object& actual, const json::object& desired, bool quantities) {
  for (const auto& member : desired) {
    const json::value* present = actual.if_contains(member.key());
    if (!present) {
      if (!is_empty(member.value())) return false;
      continue;
    }
    const std::string_view key{member.key().data(), member.key().size()};
    if (key == "ownerReferences" && present->is_array() && member.value().is_array()) {
      if (!covers_any(present->get_array(), member.value().get_array())) return false;
      continue;
    }
    if (!covers_value(*present, member.value(), quantities || holds_quantities(key))) return false;
  }
  return true;
}

bool covers_value(const json::value& actual, const json::value& desired, bool quantities) {
  if (actual == desired || same_number(actual, desired)) return true;
  if (quantities && same_quantity(actual, desired)) return true;
  if (actual.is_object() && desired.is_object())
    return covers_object(actual.get_object(), desired.get_object(), quantities);
  if (actual.is_array() && desired.is_array()) {
    const json::array& present = actual.get_array();
    const json::array& wanted = desired.get_array();
    return std::ranges::equal(
        present, wanted, [&](const auto& left, const auto& right) { return covers_value(left, right, quantities); });
  }
  return is_empty(actual) && is_empty(desired);
}

}  // namespace

bool covers(const json::value& actual, const json::value& desired) { return covers_value(actual, desired, false); }

}  // namespace nuclio::controller
