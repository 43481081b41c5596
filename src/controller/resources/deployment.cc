// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>

#include "controller/resources/augment.h"
#include "controller/resources/desired.h"
#include "controller/resources/merge.h"
#include "controller/resources/pod_template.h"
#include "controller/resources/scheduling.h"
#include "platform/kube/names.h"
#include "spec/load.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
namespace kube = platform::kube;

// Enough to go back to what ran before; each is an object in the cluster's store.
constexpr int kRevisionHistory = 3;

// What the spec says to whoever looks at the Deployment. Secrets have no business here, and the code may be larger than
// annotations can.
std::string function_config(spec::FunctionConfig config) {
  config.spec.build.function_source_code.clear();
  config.spec.build.files.clear();
  const json::value all = spec::to_json(config, spec::Secrets::masked);
  const json::object* spec = object_in(all.get_object(), "spec");
  return json::serialize(spec ? *spec : json::object{});
}

json::object annotations(const FunctionInput& input) {
  json::object out{{"nuclio.io/function-config", function_config(input.config)}};
  if (!input.config.spec.description.empty()) out["description"] = input.config.spec.description;
  if (!input.controller_version.empty()) out["nuclio.io/controller-version"] = input.controller_version;
  std::string left_out;
  for (const std::string& name : left_out_volumes(input.config)) left_out += (left_out.empty() ? "" : ", ") + name;
  if (!left_out.empty()) out["nuclio.io/volumes-left-out"] = left_out + ": pods get no hostPath";
  return out;
}

// Nothing is taken away before what replaces it is ready; except GPUs, of which there may be no second one.
json::object strategy(const spec::FunctionConfig& config) {
  if (!config.spec.deployment_strategy.empty()) return config.spec.deployment_strategy;
  if (has_gpu_limit(config)) return {{"type", "Recreate"}};
  return {{"type", "RollingUpdate"}, {"rollingUpdate", {{"maxUnavailable", 0}, {"maxSurge", "25%"}}}};
}

// Nothing when an autoscaler has the replicas, which are within its bounds.
std::optional<int> replicas(const FunctionInput& input) {
  const spec::FunctionSpec& spec = input.config.spec;
  if (spec.disable || input.scaled_to_zero) return 0;
  const auto [least, most] = replica_bounds(spec);
  if (!input.replicas || *input.replicas < least || *input.replicas > most) return least;
  if (input.autoscaled && least < most) return std::nullopt;
  return *input.replicas;
}

std::int64_t readiness_seconds(const FunctionInput& input) {
  if (input.config.spec.readiness_timeout_seconds > 0) return input.config.spec.readiness_timeout_seconds;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(input.platform.function_readiness_timeout);
  return std::max<std::int64_t>(1, seconds.count());
}

}  // namespace

json::object deployment(const FunctionInput& input) {
  json::object about = metadata(input, kube::object_name(input.config.metadata.name));
  about["annotations"] = annotations(input);
  json::object spec{
      {"revisionHistoryLimit", kRevisionHistory},
      {"progressDeadlineSeconds", readiness_seconds(input)},
      {"strategy", strategy(input.config)},
      // It can never change, so it names only what never does.
      {"selector",
       {{"matchLabels", {{kube::kClassLabel, "function"}, {kube::kFunctionLabel, input.config.metadata.name}}}}},
      {"template", pod_template(input)}};
  if (const auto count = replicas(input)) spec["replicas"] = *count;
  json::object out{{"apiVersion", k8s::kDeployments.api_version()},
                   {"kind", k8s::kDeployments.kind},
                   {"metadata", std::move(about)},
                   {"spec", std::move(spec)}};
  for (const spec::AugmentedConfig* each : augmentations(input.config, input.platform))
    patch_over(out, each->kubernetes.deployment);
  return out;
}

}  // namespace nuclio::controller
