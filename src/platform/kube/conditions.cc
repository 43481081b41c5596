// SPDX-License-Identifier: Apache-2.0
#include "platform/kube/conditions.h"

#include <fmt/chrono.h>

#include <boost/json.hpp>

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

bool is_of(const json::value& condition, std::string_view type) {
  if (!condition.is_object()) return false;
  const json::value* name = condition.get_object().if_contains("type");
  return name && name->is_string() && name->get_string() == view(type);
}

json::array& conditions_of(json::object& status) {
  json::value& conditions = status["conditions"];
  if (!conditions.is_array()) conditions.emplace_array();
  return conditions.get_array();
}

}  // namespace

void set_condition(json::object& status, const Condition& condition, std::int64_t generation, std::string_view now) {
  json::object fresh{{"type", view(condition.type)},     {"status", condition.is_true ? "True" : "False"},
                     {"reason", view(condition.reason)}, {"message", condition.message},
                     {"lastTransitionTime", view(now)},  {"observedGeneration", generation}};
  json::array& conditions = conditions_of(status);
  for (json::value& each : conditions) {
    if (!is_of(each, condition.type)) continue;
    const json::object& before = each.get_object();
    const json::value* was = before.if_contains("status");
    const json::value* since = before.if_contains("lastTransitionTime");
    if (was && since && *was == fresh["status"]) fresh["lastTransitionTime"] = *since;
    each = std::move(fresh);
    return;
  }
  conditions.push_back(std::move(fresh));
}

void clear_condition(json::object& status, std::string_view type) {
  json::value* conditions = status.if_contains("conditions");
  if (!conditions || !conditions->is_array()) return;
  json::array kept;
  for (json::value& each : conditions->get_array())
    if (!is_of(each, type)) kept.push_back(std::move(each));
  *conditions = std::move(kept);
}

const json::object* find_condition(const json::object& status, std::string_view type) {
  const json::value* conditions = status.if_contains("conditions");
  if (!conditions || !conditions->is_array()) return nullptr;
  for (const json::value& each : conditions->get_array())
    if (is_of(each, type)) return &each.get_object();
  return nullptr;
}

bool is_false(const json::object& status, std::string_view type) {
  const json::object* condition = find_condition(status, type);
  const json::value* is = condition ? condition->if_contains("status") : nullptr;
  return is && *is == json::value("False");
}

std::string rfc3339(std::chrono::system_clock::time_point when) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(when)));
}

}  // namespace nuclio::platform::kube
