// SPDX-License-Identifier: Apache-2.0
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "controller/resources/desired.h"
#include "platform/kube/names.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
namespace kube = platform::kube;
using spec::MetricSource;

constexpr int kTargetCpu = 75;

json::object resource(std::string_view name, std::int64_t percent) {
  return {{"type", "Resource"},
          {"resource", {{"name", name}, {"target", {{"type", "Utilization"}, {"averageUtilization", percent}}}}}};
}

// Nuclio's name of a metric over a time, as its autoscaler and whoever serves custom metrics know it.
json::object named(const spec::AutoScaleMetric& metric) {
  return {
      {"name", metric.window_size.empty() ? metric.metric_name : metric.metric_name + "_per_" + metric.window_size}};
}

MetricSource source_of(const spec::AutoScaleMetric& metric) {
  if (metric.source_type != MetricSource::unset) return metric.source_type;
  return metric.metric_name == "cpu" || metric.metric_name == "memory" ? MetricSource::resource : MetricSource::pods;
}

json::object metric_spec(const FunctionInput& input, const spec::AutoScaleMetric& metric) {
  const std::string threshold = std::to_string(metric.threshold);
  const json::object value{{"type", "Value"}, {"value", threshold}};
  switch (source_of(metric)) {
    case MetricSource::unset:
    case MetricSource::pods:
      return {
          {"type", "Pods"},
          {"pods", {{"metric", named(metric)}, {"target", {{"type", "AverageValue"}, {"averageValue", threshold}}}}}};
    case MetricSource::external:
      return {{"type", "External"}, {"external", {{"metric", named(metric)}, {"target", value}}}};
    case MetricSource::object: {
      const json::object function{{"apiVersion", kube::kFunctions.api_version()},
                                  {"kind", kube::kFunctions.kind},
                                  {"name", input.config.metadata.name}};
      return {{"type", "Object"},
              {"object", {{"describedObject", function}, {"metric", named(metric)}, {"target", value}}}};
    }
    case MetricSource::container_resource: {
      json::object out = resource(metric.metric_name, metric.threshold)["resource"].get_object();
      out["container"] = kube::kContainer;
      return {{"type", "ContainerResource"}, {"containerResource", std::move(out)}};
    }
    case MetricSource::resource: break;
  }
  return resource(metric.metric_name, metric.threshold);
}

json::array metrics(const FunctionInput& input) {
  const spec::FunctionSpec& spec = input.config.spec;
  if (!spec.custom_scaling_metric_specs.empty()) return spec.custom_scaling_metric_specs;
  json::array out;
  for (const spec::AutoScaleMetric& metric : spec.auto_scale_metrics) out.push_back(metric_spec(input, metric));
  if (out.empty()) out.push_back(resource("cpu", spec.target_cpu > 0 ? spec.target_cpu : kTargetCpu));
  return out;
}

}  // namespace

// None for a function without replicas: an autoscaler leaves those alone anyway.
std::optional<json::object> autoscaler(const FunctionInput& input) {
  const spec::FunctionSpec& spec = input.config.spec;
  if (spec.disable || input.scaled_to_zero) return std::nullopt;
  const auto [least, most] = replica_bounds(spec);
  if (most <= least) return std::nullopt;
  const std::string name = kube::object_name(input.config.metadata.name);
  return json::object{
      {"apiVersion", k8s::kAutoscalers.api_version()},
      {"kind", k8s::kAutoscalers.kind},
      {"metadata", metadata(input, name)},
      {"spec",
       {{"scaleTargetRef",
         {{"apiVersion", k8s::kDeployments.api_version()}, {"kind", k8s::kDeployments.kind}, {"name", name}}},
        {"minReplicas", least},
        {"maxReplicas", most},
        {"metrics", metrics(input)}}}};
}

}  // namespace nuclio::controller
