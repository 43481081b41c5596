// SPDX-License-Identifier: Apache-2.0
#include "controller/resources/scheduling.h"

#include <algorithm>
#include <boost/json/value.hpp>

#include "controller/resources/merge.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
using spec::PreemptionMode;

// Without labels that tell preemptible nodes apart there is nothing to be done about them.
PreemptionMode mode_of(const FunctionInput& input) {
  const spec::PreemptibleNodes& nodes = input.platform.kube.preemptible_nodes;
  if (nodes.node_selector.empty()) return PreemptionMode::none;
  if (input.config.spec.preemption_mode != PreemptionMode::platform_default) return input.config.spec.preemption_mode;
  return nodes.default_mode == PreemptionMode::platform_default ? PreemptionMode::prevent : nodes.default_mode;
}

json::array tolerations_of_nodes(const FunctionInput& input) {
  const spec::PreemptibleNodes& nodes = input.platform.kube.preemptible_nodes;
  json::array out = nodes.tolerations;
  if (has_gpu_limit(input.config)) out.insert(out.end(), nodes.gpu_tolerations.begin(), nodes.gpu_tolerations.end());
  return out;
}

bool contains(const json::array& list, const json::value& value) {
  return std::ranges::find(list, value) != list.end();
}

json::object expression(const std::string& key, std::string_view is, const std::string& value) {
  return {{"key", key}, {"operator", is}, {"values", json::array{json::value(value)}}};
}

// Terms are alternatives, and the expressions of one term must all hold; so what is to hold besides goes into each of
// the terms that are there.
void require(json::object& affinity, const json::array& terms) {
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  json::object node = object_in(affinity, "nodeAffinity") ? affinity["nodeAffinity"].get_object() : json::object{};
  json::object required = object_in(node, kRequired) ? node[kRequired].get_object() : json::object{};
  const json::value* own = required.if_contains("nodeSelectorTerms");
  json::array all;
  if (own == nullptr || !own->is_array() || own->get_array().empty()) {
    all = terms;
  } else {
    for (const json::value& before : own->get_array())
      for (const json::value& more : terms) {
        json::object term = before.is_object() ? before.get_object() : json::object{};
        json::value& expressions = term["matchExpressions"];
        if (!expressions.is_array()) expressions.emplace_array();
        for (const json::value& each : more.at("matchExpressions").as_array()) expressions.get_array().push_back(each);
        all.push_back(std::move(term));
      }
  }
  required["nodeSelectorTerms"] = std::move(all);
  node[kRequired] = std::move(required);
  affinity["nodeAffinity"] = std::move(node);
}

// On nodes with any one of the labels.
json::array on_nodes(const std::map<std::string, std::string>& labels) {
  json::array terms;
  for (const auto& [key, value] : labels)
    terms.push_back(json::object{{"matchExpressions", json::array{expression(key, "In", value)}}});
  return terms;
}

// On nodes with none of them.
json::array off_nodes(const std::map<std::string, std::string>& labels) {
  json::array expressions;
  for (const auto& [key, value] : labels) expressions.push_back(expression(key, "NotIn", value));
  return {json::object{{"matchExpressions", std::move(expressions)}}};
}

}  // namespace

bool has_gpu_limit(const spec::FunctionConfig& config) {
  const json::object* limits = object_in(config.spec.resources, "limits");
  const json::value* gpus = limits == nullptr ? nullptr : limits->if_contains("nvidia.com/gpu");
  return gpus != nullptr && *gpus != json::value(0) && *gpus != json::value("0");
}

std::map<std::string, std::string> node_selector(const FunctionInput& input) {
  std::map<std::string, std::string> out = input.platform.kube.default_function_node_selector;
  for (const auto* more : {&input.project_node_selector, &input.config.spec.node_selector})
    for (const auto& [key, value] : *more) out[key] = value;
  // An empty value takes back what the project or the platform says.
  std::erase_if(out, [](const auto& label) { return label.second.empty(); });
  if (mode_of(input) == PreemptionMode::prevent)
    for (const auto& label : input.platform.kube.preemptible_nodes.node_selector)
      if (const auto found = out.find(label.first); found != out.end() && found->second == label.second)
        out.erase(found);
  return out;
}

Scheduling scheduling(const FunctionInput& input) {
  const spec::KubeConfig& kube = input.platform.kube;
  Scheduling out{.tolerations = input.config.spec.tolerations, .affinity = input.config.spec.affinity};
  if (out.tolerations.empty()) out.tolerations = kube.default_function_tolerations;
  const json::array of_nodes = tolerations_of_nodes(input);
  const auto tolerate = [&] {
    for (const json::value& each : of_nodes)
      if (!contains(out.tolerations, each)) out.tolerations.push_back(each);
  };
  switch (mode_of(input)) {
    case PreemptionMode::platform_default:
    case PreemptionMode::none: break;
    case PreemptionMode::allow: tolerate(); break;
    case PreemptionMode::constrain:
      tolerate();
      require(out.affinity, on_nodes(kube.preemptible_nodes.node_selector));
      break;
    case PreemptionMode::prevent:
      // Nodes with taints keep off who does not tolerate them.
      if (of_nodes.empty()) {
        require(out.affinity, off_nodes(kube.preemptible_nodes.node_selector));
      } else {
        json::array kept;
        for (json::value& each : out.tolerations)
          if (!contains(of_nodes, each)) kept.push_back(std::move(each));
        out.tolerations = std::move(kept);
      }
      break;
  }
  return out;
}

}  // namespace nuclio::controller
