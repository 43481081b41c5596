// SPDX-License-Identifier: Apache-2.0
#include "controller/resources/merge.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace nuclio::controller {
namespace {

namespace json = boost::json;

// By what the things of a list are told apart, as far as Kubernetes says so in the same way everywhere. A mount has a
// name, too, but that is its volume's.
constexpr std::array<std::string_view, 3> kKeys = {"mountPath", "name", "containerPort"};

std::string_view key_of(const json::array& list) {
  for (const std::string_view key : kKeys) {
    const bool all = std::ranges::all_of(
        list, [&](const json::value& each) { return each.is_object() && each.get_object().contains(key); });
    if (all && !list.empty()) return key;
  }
  return {};
}

void patch_list(json::array& base, const json::array& patch, std::string_view key) {
  for (const json::value& each : patch) {
    const auto same = std::ranges::find_if(base, [&](const json::value& other) {
      const auto* object = other.if_object();
      const auto* value = object == nullptr ? nullptr : object->if_contains(key);
      return value != nullptr && *value == each.get_object().at(key);
    });
    if (same == base.end())
      base.push_back(each);
    else
      patch_over(same->get_object(), each.get_object());
  }
}

}  // namespace

json::object to_object(const std::map<std::string, std::string>& texts) {
  json::object out;
  for (const auto& [key, value] : texts) out[key] = value;
  return out;
}

void merge_over(json::object& base, const json::object& over) {
  for (const auto& [key, value] : over) {
    json::value& into = base[key];
    if (into.is_object() && value.is_object())
      merge_over(into.get_object(), value.get_object());
    else
      into = value;
  }
}

void patch_over(json::object& base, const json::object& patch) {
  for (const auto& [key, value] : patch) {
    if (value.is_null()) {
      base.erase(key);
      continue;
    }
    json::value& into = base[key];
    const std::string_view list_key = value.is_array() && into.is_array() ? key_of(value.get_array()) : "";
    if (into.is_object() && value.is_object())
      patch_over(into.get_object(), value.get_object());
    else if (!list_key.empty())
      patch_list(into.get_array(), value.get_array(), list_key);
    else
      into = value;
  }
}

const json::object* object_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

std::string_view text_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view{} : std::string_view(text->data(), text->size());
}

}  // namespace nuclio::controller
