// SPDX-License-Identifier: Apache-2.0
#include "controller/resources/desired.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "controller/resources/augment.h"
#include "controller/resources/merge.h"
#include "platform/kube/names.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
namespace kube = platform::kube;

json::object owner_reference(const json::object& owner) {
  const json::object* about = object_in(owner, "metadata");
  const json::object nothing;
  const json::object& known = about ? *about : nothing;
  return {{"apiVersion", kube::kFunctions.api_version()},
          {"kind", kube::kFunctions.kind},
          {"name", text_in(known, "name")},
          {"uid", text_in(known, "uid")},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

}  // namespace

std::map<std::string, std::string> labels(const spec::FunctionConfig& config) {
  std::map<std::string, std::string> out = config.metadata.labels;
  const auto set = [&](std::string_view label, std::string_view value) { out[std::string(label)] = value; };
  set(kube::kClassLabel, "function");
  set(kube::kAppLabel, "functionres");
  set(kube::kFunctionLabel, config.metadata.name);
  set(kube::kVersionLabel, "latest");
  out.try_emplace(std::string(kube::kProjectLabel), spec::kDefaultProject);
  return out;
}

ReplicaBounds replica_bounds(const spec::FunctionSpec& spec) {
  if (spec.replicas) return {*spec.replicas, *spec.replicas};
  const int least = std::max(1, spec.min_replicas.value_or(1));
  return {least, std::max(least, spec.max_replicas.value_or(least))};
}

json::object metadata(const FunctionInput& input, std::string_view name) {
  return {{"name", name},
          {"namespace", input.config.metadata.namespace_name},
          {"labels", to_object(labels(input.config))},
          {"ownerReferences", json::array{owner_reference(input.owner)}}};
}

std::vector<DesiredObject> desired_objects(const FunctionInput& given) {
  const spec::FunctionConfig config = augmented(given.config, given.platform);
  const FunctionInput input{.config = config,
                            .platform = given.platform,
                            .owner = given.owner,
                            .secret = given.secret,
                            .project_node_selector = given.project_node_selector,
                            .scaled_to_zero = given.scaled_to_zero,
                            .replicas = given.replicas,
                            .autoscaled = given.autoscaled,
                            .node_port = given.node_port,
                            .controller_version = given.controller_version};
  std::vector<DesiredObject> out;
  out.push_back({k8s::kConfigMaps, config_map(input)});
  out.push_back({k8s::kServices, service(input)});
  out.push_back({k8s::kDeployments, deployment(input)});
  if (auto object = autoscaler(input)) out.push_back({k8s::kAutoscalers, std::move(*object)});
  if (auto object = ingress(input)) out.push_back({k8s::kIngresses, std::move(*object)});
  for (json::object& job : cron_jobs(input)) out.push_back({k8s::kCronJobs, std::move(job)});
  return out;
}

}  // namespace nuclio::controller
