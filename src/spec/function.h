// SPDX-License-Identifier: Apache-2.0
// A function as its user writes it. Reading, checking and the rest stand in load.h, rules.h and enrich.h.
#pragma once
#include <array>
#include <boost/json/value.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schema/schema.h"
#include "spec/build.h"
#include "spec/logger_sink.h"
#include "spec/metadata.h"
#include "spec/status.h"
#include "spec/trigger.h"

namespace nuclio::spec {

using schema::field;

enum class PreemptionMode { platform_default, allow, constrain, prevent, none };
constexpr auto choices(PreemptionMode) {
  using C = schema::Choice<PreemptionMode>;
  return std::array{C{PreemptionMode::platform_default, ""}, C{PreemptionMode::allow, "allow"},
                    C{PreemptionMode::constrain, "constrain"}, C{PreemptionMode::prevent, "prevent"},
                    C{PreemptionMode::none, "none"}};
}

struct EnvironmentVariable {
  std::string name;
  std::string value;
  std::optional<boost::json::object> value_from;

  template <class E = EnvironmentVariable>
  static constexpr auto fields() {
    return std::tuple{
        field("name", &E::name, {.doc = "Name of the variable.", .required = true}),
        field("value", &E::value, {.doc = "Its value."}),
        field("valueFrom", &E::value_from,
              {.doc = "Where the value comes from: Kubernetes EnvVarSource.", .only = kKubernetes}),
    };
  }
};

struct Volume {
  boost::json::object volume;
  boost::json::object volume_mount;

  template <class V = Volume>
  static constexpr auto fields() {
    return std::tuple{
        field("volume", &V::volume, {.doc = "Kubernetes Volume."}),
        field("volumeMount", &V::volume_mount, {.doc = "Kubernetes VolumeMount; the names are made equal."}),
    };
  }
};

struct DataBinding {
  std::string name;
  std::string binding_class;
  std::string kind;
  std::string url;
  std::string path;
  std::string query;
  std::string secret;
  boost::json::object attributes;

  template <class D = DataBinding>
  static constexpr auto fields() {
    return std::tuple{
        field("name", &D::name, {.doc = "Name of the binding."}),
        field("class", &D::binding_class, {.doc = "Used as kind when that is empty."}),
        field("kind", &D::kind, {.doc = "v3io or eventhub."}),
        field("url", &D::url, {.doc = "Address of the data."}),
        field("path", &D::path, {.doc = "Path of the data."}),
        field("query", &D::query, {.doc = "Query of the data."}),
        field("secret", &D::secret, {.doc = "Secret for the data.", .secret = true}),
        field("attributes", &D::attributes, {.doc = "Settings of the kind.", .secret = true}),
    };
  }
};

struct ScaleResource {
  std::string metric_name;
  std::string window_size;
  std::int64_t threshold = 0;

  template <class S = ScaleResource>
  static constexpr auto fields() {
    return std::tuple{
        field("metricName", &S::metric_name, {.doc = "Metric to look at."}),
        field("windowSize", &S::window_size, {.doc = "Time over which to look, such as 10m."}),
        field("threshold", &S::threshold, {.doc = "At or below it the function is idle.", .min = 0}),
    };
  }
};

struct ScaleToZero {
  std::vector<ScaleResource> scale_resources;

  template <class S = ScaleToZero>
  static constexpr auto fields() {
    return std::tuple{field("scaleResources", &S::scale_resources,
                            {.doc = "Metrics that say whether the function is idle; the platform's when empty."})};
  }
};

enum class MetricSource { unset, resource, pods, external, object, container_resource };
constexpr auto choices(MetricSource) {
  using C = schema::Choice<MetricSource>;
  return std::array{C{MetricSource::unset, ""},        C{MetricSource::resource, "Resource"},
                    C{MetricSource::pods, "Pods"},     C{MetricSource::external, "External"},
                    C{MetricSource::object, "Object"}, C{MetricSource::container_resource, "ContainerResource"}};
}

enum class MetricDisplay { unset, integer, percentage };
constexpr auto choices(MetricDisplay) {
  using C = schema::Choice<MetricDisplay>;
  return std::array{C{MetricDisplay::unset, ""}, C{MetricDisplay::integer, "int"},
                    C{MetricDisplay::percentage, "percentage"}};
}

struct AutoScaleMetric {
  std::string metric_name;
  std::string window_size;
  std::int64_t threshold = 1;
  MetricSource source_type = MetricSource::unset;
  MetricDisplay display_type = MetricDisplay::unset;

  template <class A = AutoScaleMetric>
  static constexpr auto fields() {
    return std::tuple{
        field("metricName", &A::metric_name, {.doc = "Metric to scale by.", .required = true}),
        field("windowSize", &A::window_size, {.doc = "Time over which to look, such as 1m."}),
        field("threshold", &A::threshold, {.doc = "Value that one replica is meant to have.", .min = 1}),
        field("sourceType", &A::source_type, {.doc = "Kind of Kubernetes metric."}),
        field("displayType", &A::display_type, {.doc = "How the dashboard shows the threshold."}),
    };
  }
};

struct FunctionPlatform {
  boost::json::object attributes;

  template <class F = FunctionPlatform>
  static constexpr auto fields() {
    return std::tuple{
        field("attributes", &F::attributes, {.doc = "Docker platform: network, restartPolicy, healthCheckInterval."})};
  }
};

struct FunctionSpec {
  std::string description;
  bool disable = false;
  bool publish = false;
  std::string handler;
  std::string runtime;
  std::vector<EnvironmentVariable> env;
  boost::json::array env_from;
  boost::json::object resources;
  std::string image;
  std::string image_hash;
  std::optional<int> replicas;
  std::optional<int> min_replicas;
  std::optional<int> max_replicas;
  int target_cpu = 75;
  std::map<std::string, DataBinding> data_bindings;
  std::map<std::string, Trigger> triggers;
  std::vector<Volume> volumes;
  int version = -1;
  std::string alias = "latest";
  Build build;
  std::string run_registry;
  std::string image_pull_secrets;
  boost::json::object runtime_attributes;
  std::vector<LoggerSink> logger_sinks;
  std::string dealer_uri;
  FunctionPlatform platform;
  int readiness_timeout_seconds = 0;
  bool wait_readiness_timeout_before_failure = false;
  ServiceType service_type = ServiceType::platform_default;
  std::string image_pull_policy;
  boost::json::object security_context;
  std::string service_account;
  ScaleToZero scale_to_zero;
  std::optional<bool> disable_default_http_trigger;
  bool disable_sensitive_fields_masking = false;
  std::vector<std::string> devices;
  boost::json::object affinity;
  std::map<std::string, std::string> node_selector;
  std::string node_name;
  boost::json::array tolerations;
  std::string priority_class_name;
  std::string preemption_policy;
  boost::json::object deployment_strategy;
  bool host_ipc = false;
  PreemptionMode preemption_mode = PreemptionMode::platform_default;
  boost::json::array custom_scaling_metric_specs;
  std::vector<AutoScaleMetric> auto_scale_metrics;
  std::chrono::nanoseconds event_timeout{0};
  std::vector<boost::json::object> sidecars;
  std::vector<boost::json::object> init_containers;
  std::string avatar;

  template <class F = FunctionSpec>
  static constexpr auto fields() {
    return std::tuple{
        field("description", &F::description, {.doc = "What the function is for."}),
        field("disable", &F::disable, {.doc = "Deploy without replicas."}),
        field("publish", &F::publish, {.doc = "Legacy; no effect.", .inert = true}),
        field("handler", &F::handler, {.doc = "Entry point; module:function for Python."}),
        field("runtime", &F::runtime,
              {.doc = "Language and version, for example python:3.11; found from the file's extension when empty."}),
        field("env", &F::env, {.doc = "Environment variables."}),
        field("envFrom", &F::env_from, {.doc = "Kubernetes EnvFromSource list.", .only = kKubernetes}),
        field("resources", &F::resources, {.doc = "Kubernetes ResourceRequirements.", .only = kKubernetes}),
        field("image", &F::image, {.doc = "What the last build made; together with skip-build, what to run."}),
        field("imageHash", &F::image_hash, {.doc = "Changes with each build; set by the platform."}),
        field("replicas", &F::replicas,
              {.doc = "Fixed number of replicas; excludes minReplicas and maxReplicas.", .min = 0}),
        field(
            "minReplicas", &F::min_replicas,
            {.doc = "Replicas kept when idle; 0 lets the function scale to zero. The value of maxReplicas when absent.",
             .min = 0}),
        field("maxReplicas", &F::max_replicas,
              {.doc = "Most replicas under load; the value of minReplicas when absent.", .min = 1}),
        field("targetCPU", &F::target_cpu,
              {.doc = "Percent of its processor share at which the function gets more replicas.",
               .min = 0,
               .only = kKubernetes}),
        field("dataBindings", &F::data_bindings, {.doc = "Data that the handler reaches by name.", .inert = true}),
        field("triggers", &F::triggers, {.doc = "Where events come from, by name."}),
        field("volumes", &F::volumes, {.doc = "Volumes and where they are mounted.", .only = kKubernetes}),
        field("version", &F::version, {.doc = "Legacy."}),
        field("alias", &F::alias, {.doc = "Legacy."}),
        field("build", &F::build, {.doc = "How the code becomes something that runs."}),
        field("runRegistry", &F::run_registry, {.doc = "Registry from which the cluster pulls.", .only = kKubernetes}),
        field("imagePullSecrets", &F::image_pull_secrets,
              {.doc = "Secret for the registry, by name.", .only = kKubernetes}),
        field("runtimeAttributes", &F::runtime_attributes,
              {.doc =
                   "Settings of the runtime; cpp: isolation: process runs the handler in a process of its own; python: "
                   "preload: true imports the module once, before workers are forked, instead of in each."}),
        field("loggerSinks", &F::logger_sinks,
              {.doc = "Where log lines go and from which level; the platform's when empty."}),
        field("dealerURI", &F::dealer_uri, {.doc = "Legacy.", .inert = true}),
        field("platform", &F::platform, {.doc = "Settings of one platform.", .inert = true}),
        field(
            "readinessTimeoutSeconds", &F::readiness_timeout_seconds,
            {.doc =
                 "Seconds within which the function must become ready; the platform's functionReadinessTimeout when 0.",
             .min = 0}),
        field("waitReadinessTimeoutBeforeFailure", &F::wait_readiness_timeout_before_failure,
              {.doc = "Wait for the whole time-out even when the function crashes at its start.", .only = kKubernetes}),
        field("serviceType", &F::service_type, {.doc = "Type of the Kubernetes service.", .only = kKubernetes}),
        field("imagePullPolicy", &F::image_pull_policy, {.doc = "Kubernetes image pull policy.", .only = kKubernetes}),
        field("securityContext", &F::security_context, {.doc = "Kubernetes PodSecurityContext.", .only = kKubernetes}),
        field("serviceAccount", &F::service_account, {.doc = "Kubernetes service account.", .only = kKubernetes}),
        field("scaleToZero", &F::scale_to_zero, {.doc = "When the function scales to zero.", .inert = true}),
        field("disableDefaultHTTPTrigger", &F::disable_default_http_trigger,
              {.doc = "Do not add an http trigger when there is none; the platform's setting when absent."}),
        field("disableSensitiveFieldsMasking", &F::disable_sensitive_fields_masking,
              {.doc = "Keep passwords in the spec instead of a secret.", .only = kKubernetes}),
        field("devices", &F::devices, {.doc = "Devices as host:container:rwm (docker platform).", .inert = true}),
        field("affinity", &F::affinity, {.doc = "Kubernetes Affinity.", .only = kKubernetes}),
        field("nodeSelector", &F::node_selector, {.doc = "Labels of the nodes to run on.", .only = kKubernetes}),
        field("nodeName", &F::node_name, {.doc = "Node to run on.", .only = kKubernetes}),
        field("tolerations", &F::tolerations, {.doc = "Kubernetes Toleration list.", .only = kKubernetes}),
        field("priorityClassName", &F::priority_class_name, {.doc = "Kubernetes priority class.", .only = kKubernetes}),
        field("preemptionPolicy", &F::preemption_policy, {.doc = "Kubernetes preemption policy.", .only = kKubernetes}),
        field("deploymentStrategy", &F::deployment_strategy,
              {.doc = "Kubernetes DeploymentStrategy.", .only = kKubernetes}),
        field("hostIPC", &F::host_ipc, {.doc = "Share the host's IPC namespace.", .only = kKubernetes}),
        field("preemptionMode", &F::preemption_mode,
              {.doc = "Whether to run on preemptible nodes.", .only = kKubernetes}),
        field("customScalingMetricSpecs", &F::custom_scaling_metric_specs,
              {.doc = "Kubernetes autoscaling/v2 MetricSpec list.", .only = kKubernetes}),
        field("autoScaleMetrics", &F::auto_scale_metrics, {.doc = "Metrics to scale by.", .only = kKubernetes}),
        field("eventTimeout", &F::event_timeout,
              {.doc = "An event that takes longer fails with 408, and its worker is replaced; 0s is no limit."}),
        field("sidecars", &F::sidecars,
              {.doc = "Kubernetes Container list, beside the function.", .only = kKubernetes}),
        field("initContainers", &F::init_containers,
              {.doc = "Kubernetes Container list, before the function.", .only = kKubernetes}),
        field("avatar", &F::avatar, {.doc = "Legacy; no effect.", .inert = true}),
    };
  }
};

struct FunctionConfig {
  Metadata metadata;
  FunctionSpec spec;
  FunctionStatus status;

  template <class F = FunctionConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("metadata", &F::metadata, {.doc = "Who the function is."}),
        field("spec", &F::spec, {.doc = "What the user wants."}),
        field("status", &F::status, {.doc = "What the platform knows; read, never obeyed."}),
    };
  }
};

}  // namespace nuclio::spec
