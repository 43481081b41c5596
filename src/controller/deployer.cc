// SPDX-License-Identifier: Apache-2.0
#include "controller/deployer.h"

#include <boost/json.hpp>
#include <string_view>

#include "k8s/resource.h"
#include "platform/platform.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;

// By what the API server calls those who send our user agent.
constexpr std::string_view kDashboard = "nuclio-dashboard";

std::string_view text_at(const json::object& entry, std::string_view name) {
  const json::value* value = entry.if_contains(name);
  if (!value || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

}  // namespace

void forget_former_deployer(json::object& function) {
  const json::value* entries = k8s::at(function, "metadata.managedFields");
  if (!entries || !entries->is_array()) return;
  std::string_view last_time;
  bool by_others = false;
  for (const json::value& each : entries->get_array()) {
    if (!each.is_object()) continue;
    const json::object& entry = each.get_object();
    if (!text_at(entry, "subresource").empty() || !k8s::at(entry, "fieldsV1.f:spec")) continue;
    const std::string_view time = text_at(entry, "time");  // all in one form, so that they compare as texts
    const bool others = text_at(entry, "manager") != kDashboard;
    if (time == last_time) by_others = by_others || others;
    if (time > last_time) {
      last_time = time;
      by_others = others;
    }
  }
  if (!by_others) return;
  json::value& metadata = function["metadata"];
  json::value* annotations = metadata.is_object() ? metadata.get_object().if_contains("annotations") : nullptr;
  if (annotations && annotations->is_object()) annotations->get_object().erase(platform::kDeployedBy);
}

}  // namespace nuclio::controller
