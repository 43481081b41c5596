// SPDX-License-Identifier: Apache-2.0
#include "spec/merge.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "spec/enrich.h"

namespace nuclio::spec {
namespace {

namespace json = boost::json;

const json::object* object_in(const json::value& value, std::string_view key) {
  const auto* object = value.if_object();
  const auto* member = object == nullptr ? nullptr : object->if_contains(key);
  return member == nullptr ? nullptr : member->if_object();
}

std::string_view text_in(const json::value& value, std::string_view key) {
  const auto* object = value.if_object();
  const auto* member = object == nullptr ? nullptr : object->if_contains(key);
  const auto* text = member == nullptr ? nullptr : member->if_string();
  return text == nullptr ? std::string_view{} : std::string_view(*text);
}

void merge_objects(json::object& base, const json::object& over) {
  for (const auto& [key, value] : over) {
    json::value& into = base[key];
    if (into.is_object() && value.is_object())
      merge_objects(into.get_object(), value.get_object());
    else
      into = value;
  }
}

// Variables keep the base's order; new ones follow.
void merge_env(json::array& base, const json::array& over) {
  for (const json::value& variable : over) {
    const std::string_view name = text_in(variable, "name");
    const auto same = std::ranges::find_if(base, [&](const json::value& v) { return text_in(v, "name") == name; });
    if (same != base.end())
      *same = variable;
    else
      base.push_back(variable);
  }
}

void merge_triggers(json::object& base, const json::object& over) {
  bool other_http = false;
  for (const auto& [key, trigger] : over) {
    const std::string_view kind = text_in(trigger, "kind");
    json::value& into = base[key];
    const bool same_kind = kind.empty() || kind == text_in(into, "kind");
    if (same_kind && into.is_object() && trigger.is_object())
      merge_objects(into.get_object(), trigger.get_object());
    else
      into = trigger;
    other_http |= kind == "http" && std::string_view(key) != kDefaultHttpTrigger;
  }
  if (other_http && !over.contains(kDefaultHttpTrigger)) base.erase(kDefaultHttpTrigger);
}

}  // namespace

json::value merge_function(const json::value& base, const json::value& over) {
  if (!base.is_object() || !over.is_object()) return over.is_null() ? base : over;
  const json::object* base_spec = object_in(base, "spec");
  const json::object* over_spec = object_in(over, "spec");
  json::object merged = base.get_object();
  merge_objects(merged, over.get_object());
  if (base_spec == nullptr || over_spec == nullptr) return merged;

  json::object& spec = merged["spec"].get_object();
  const json::value* base_env = base_spec->if_contains("env");
  const json::value* over_env = over_spec->if_contains("env");
  if (base_env != nullptr && over_env != nullptr && base_env->is_array() && over_env->is_array()) {
    json::array env = base_env->get_array();
    merge_env(env, over_env->get_array());
    spec["env"] = std::move(env);
  }
  const json::value* base_triggers = base_spec->if_contains("triggers");
  const json::value* over_triggers = over_spec->if_contains("triggers");
  if (base_triggers != nullptr && over_triggers != nullptr && base_triggers->is_object() &&
      over_triggers->is_object()) {
    json::object triggers = base_triggers->get_object();
    merge_triggers(triggers, over_triggers->get_object());
    spec["triggers"] = std::move(triggers);
  }
  return merged;
}

}  // namespace nuclio::spec
