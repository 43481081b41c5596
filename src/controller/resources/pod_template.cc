// SPDX-License-Identifier: Apache-2.0
#include "controller/resources/pod_template.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <chrono>

#include "controller/resources/cron_jobs.h"
#include "controller/resources/merge.h"
#include "controller/resources/ports.h"
#include "controller/resources/restricted.h"
#include "controller/resources/scheduling.h"
#include "oci/digest.h"
#include "platform/kube/names.h"
#include "spec/load.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
namespace kube = platform::kube;

constexpr std::string_view kConfigVolume = "processor-config-volume";
constexpr std::string_view kPlatformVolume = "platform-config-volume";
constexpr std::string_view kSecretVolume = "function-secret";
constexpr std::string_view kPlatformConfigMap = "nuclio-platform-config";

template <class Which>
void remove_if(json::array& list, Which which) {
  json::array kept;
  for (json::value& each : list)
    if (!which(each)) kept.push_back(std::move(each));
  list = std::move(kept);
}

// --- Annotations

// The user's annotations are on the pods, too, for service meshes and the like. What is addressed to us, or was left by
// kubectl, is not: it changes when the pods need not.
bool is_for_pods(std::string_view annotation) {
  return !annotation.starts_with("nuclio.io/") && !annotation.starts_with("kubectl.kubernetes.io/") &&
         annotation != "skip-build" && annotation != "skip-deploy";
}

json::object annotations(const FunctionInput& input) {
  json::object out;
  for (const auto& [key, value] : input.config.metadata.annotations)
    if (is_for_pods(key)) out[key] = value;
  out["kubectl.kubernetes.io/default-container"] = kube::kContainer;
  out["nuclio.io/image-hash"] = input.config.spec.image_hash;
  // The processor reads its configuration once, so a changed one needs new pods.
  out["nuclio.io/config-hash"] = oci::Digest::of(processor_yaml(input)).hex();
  const auto metrics = metrics_port(input.platform);
  out["nuclio.io/prometheus_pull"] = metrics ? "true" : "false";
  if (metrics) out["nuclio.io/prometheus_pull_port"] = std::to_string(*metrics);
  return out;
}

// --- Volumes

bool is_forbidden(const spec::Volume& pair) { return pair.volume.contains("hostPath"); }

std::string_view name_of(const spec::Volume& pair) {
  const std::string_view name = text_in(pair.volume, "name");
  return name.empty() ? text_in(pair.volume_mount, "name") : name;
}

// A volume may be mounted at several places and stands here once.
json::array volumes(const FunctionInput& input) {
  const json::object config_map{{"name", kube::object_name(input.config.metadata.name)}};
  const json::object platform{{"name", kPlatformConfigMap}, {"optional", true}};
  json::array out{json::object{{"name", kConfigVolume}, {"configMap", config_map}},
                  json::object{{"name", kPlatformVolume}, {"configMap", platform}}};
  if (!input.secret.empty())
    out.push_back(json::object{{"name", kSecretVolume}, {"secret", {{"secretName", input.secret}}}});
  for (const spec::Volume& pair : input.config.spec.volumes) {
    if (is_forbidden(pair) || pair.volume.empty()) continue;
    json::object volume = pair.volume;
    volume["name"] = name_of(pair);
    const bool known = std::ranges::any_of(
        out, [&](const json::value& each) { return each.get_object().at("name") == volume.at("name"); });
    if (!known) out.push_back(std::move(volume));
  }
  return out;
}

// Where the user wants volumes to be, in the function and in what runs beside it.
json::array user_mounts(const spec::FunctionConfig& config) {
  json::array out;
  const std::vector<std::string> left_out = left_out_volumes(config);
  for (const spec::Volume& pair : config.spec.volumes) {
    const std::string_view name = name_of(pair);
    if (pair.volume_mount.empty() || std::ranges::find(left_out, name) != left_out.end()) continue;
    json::object mount = pair.volume_mount;
    mount["name"] = name;
    if (std::ranges::find(out, json::value(mount)) == out.end()) out.push_back(std::move(mount));
  }
  return out;
}

json::array mounts(const FunctionInput& input) {
  const auto mount = [](std::string_view volume, std::string_view path) {
    return json::object{{"name", volume}, {"mountPath", path}, {"readOnly", true}};
  };
  json::array out{mount(kConfigVolume, "/etc/nuclio/config/processor"),
                  mount(kPlatformVolume, "/etc/nuclio/config/platform")};
  if (!input.secret.empty()) out.push_back(mount(kSecretVolume, kSecretFolder));
  for (json::value& each : user_mounts(input.config)) out.push_back(std::move(each));
  return out;
}

// --- The function's container

json::array environment(const FunctionInput& input) {
  json::array out;
  for (const spec::EnvironmentVariable& variable : input.config.spec.env) {
    json::object each{{"name", variable.name}};
    if (variable.value_from)
      each["valueFrom"] = *variable.value_from;
    else
      each["value"] = variable.value;
    // Server-side apply tells variables apart by name; as in a shell, the last one counts.
    const auto same = std::ranges::find_if(
        out, [&](const json::value& other) { return other.get_object().at("name") == each.at("name"); });
    if (same == out.end())
      out.push_back(std::move(each));
    else
      *same = std::move(each);
  }
  const auto ours = [&](std::string_view name, json::object value) {
    remove_if(out, [&](const json::value& each) { return text_in(each.get_object(), "name") == name; });
    value["name"] = name;
    out.push_back(std::move(value));
  };
  ours("NUCLIO_FUNCTION_INSTANCE", {{"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.name"}}}}}});
  if (!input.secret.empty()) ours("NUCLIO_RESTORE_FUNCTION_CONFIG_FROM_SECRET", {{"value", "true"}});
  return out;
}

json::array environment_sources(const FunctionInput& input) {
  json::array out = input.config.spec.env_from;
  const auto add = [&](const json::array& more) { out.insert(out.end(), more.begin(), more.end()); };
  if (input.config.spec.runtime.starts_with("python")) add(input.platform.runtime.python.env_from);
  add(input.platform.runtime.common.env_from);
  return out;
}

json::object resources(const json::object& defaults, const json::object& own) {
  json::object out{{"requests", {{"cpu", "25m"}, {"memory", "1Mi"}}}};
  merge_over(out, defaults);
  merge_over(out, own);
  return out;
}

// A tag may come to mean another image, a digest may not.
std::string pull_policy(const spec::FunctionSpec& spec) {
  if (!spec.image_pull_policy.empty()) return spec.image_pull_policy;
  return spec.image.find("@sha256:") == std::string::npos ? "Always" : "IfNotPresent";
}

const spec::HttpTrigger* http_trigger(const spec::FunctionConfig& config) {
  for (const auto& [name, trigger] : config.spec.triggers)
    if (const auto* http = std::get_if<spec::HttpTrigger>(&trigger.kind); http && !trigger.disabled) return http;
  return nullptr;
}

// No delay: the probe is asked each second, and a function is ready when it says so. A kubelet has no certificate to
// show, so where only such clients are served the processor itself is asked.
json::object readiness_probe(const FunctionInput& input) {
  json::object get{{"path", "/__internal/health"}, {"port", http_port(input.config)}};
  const auto* http = http_trigger(input.config);
  if (http && http->tls) get["scheme"] = "HTTPS";
  const auto health = health_port(input.platform);
  if (http && http->tls && !http->tls->client_ca.empty() && health) get = {{"path", "/ready"}, {"port", *health}};
  return {{"httpGet", std::move(get)},
          {"initialDelaySeconds", 0},
          {"periodSeconds", 1},
          {"timeoutSeconds", 1},
          {"failureThreshold", 10}};
}

json::object liveness_probe(int port) {
  return {{"httpGet", {{"path", "/live"}, {"port", port}}},
          {"initialDelaySeconds", 10},
          {"periodSeconds", 5},
          {"timeoutSeconds", 3}};
}

json::object function_container(const FunctionInput& input) {
  const spec::FunctionSpec& spec = input.config.spec;
  json::array ports{json::object{{"name", "http"}, {"containerPort", http_port(input.config)}, {"protocol", "TCP"}}};
  if (const auto metrics = metrics_port(input.platform))
    ports.push_back(json::object{{"name", "metrics"}, {"containerPort", *metrics}, {"protocol", "TCP"}});
  json::object out{{"name", kube::kContainer},
                   {"image", spec.image},
                   {"imagePullPolicy", pull_policy(spec)},
                   {"ports", std::move(ports)},
                   {"env", environment(input)},
                   {"resources", resources(input.platform.kube.default_function_pod_resources, spec.resources)},
                   {"volumeMounts", mounts(input)},
                   {"readinessProbe", readiness_probe(input)},
                   {"securityContext", container_security_context({})}};
  if (json::array sources = environment_sources(input); !sources.empty()) out["envFrom"] = std::move(sources);
  if (const auto health = health_port(input.platform)) out["livenessProbe"] = liveness_probe(*health);
  return out;
}

// --- What runs before and beside it

// It sees the function's volumes; neither its environment nor its configuration, which may hold what is only the
// function's to know.
json::object other_container(const FunctionInput& input, const json::object& own) {
  json::object out = own;
  const json::object* context = object_in(own, "securityContext");
  out["securityContext"] = container_security_context(context ? *context : json::object{});
  json::array all = user_mounts(input.config);
  if (const json::value* mounts = own.if_contains("volumeMounts"); mounts && mounts->is_array())
    for (const json::value& mount : mounts->get_array()) {
      const auto there = [&](const json::value& each) {
        return mount.is_object() && text_in(each.get_object(), "mountPath") == text_in(mount.get_object(), "mountPath");
      };
      remove_if(all, there);
      all.push_back(mount);
    }
  if (!all.empty()) out["volumeMounts"] = std::move(all);
  const json::object* needs = object_in(own, "resources");
  out["resources"] = resources(input.platform.kube.default_sidecar_resources, needs ? *needs : json::object{});
  return out;
}

json::array other_containers(const FunctionInput& input, const std::vector<json::object>& all) {
  json::array out;
  for (const json::object& each : all) out.push_back(other_container(input, each));
  return out;
}

// --- The pod

// Time for the worker that takes longest to terminate, and for the processor around it: it drains for 28 s (see its
// main.cc), after the pause that load balancers get.
int termination_grace_seconds(const FunctionInput& input) {
  std::chrono::nanoseconds longest{0};
  for (const auto& [name, trigger] : input.config.spec.triggers)
    longest = std::max(longest, trigger.worker_termination_timeout);
  const std::chrono::milliseconds pause = spec::drain_pause(input.platform);
  const auto needed = std::max<std::chrono::nanoseconds>(longest + 10s, 30s) + pause;
  return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(needed).count());
}

json::object pod_spec(const FunctionInput& input) {
  const spec::FunctionSpec& spec = input.config.spec;
  const spec::KubeConfig& defaults = input.platform.kube;
  json::array containers{function_container(input)};
  for (json::value& each : other_containers(input, spec.sidecars)) containers.push_back(std::move(each));

  json::object out{{"containers", std::move(containers)},
                   {"volumes", volumes(input)},
                   {"securityContext", pod_security_context(spec.security_context)},
                   {"terminationGracePeriodSeconds", termination_grace_seconds(input)}};
  const auto set = [&](const char* key, const std::string& own, const std::string& otherwise) {
    if (const std::string& value = own.empty() ? otherwise : own; !value.empty()) out[key] = value;
  };
  if (!spec.init_containers.empty()) out["initContainers"] = other_containers(input, spec.init_containers);
  set("serviceAccountName", spec.service_account, defaults.default_function_service_account);
  // A function that did not ask for an account has no business with the API server.
  if (!out.contains("serviceAccountName")) out["automountServiceAccountToken"] = false;
  const std::string& pull_secret =
      spec.image_pull_secrets.empty() ? defaults.image_pull_secrets : spec.image_pull_secrets;
  if (!pull_secret.empty()) out["imagePullSecrets"] = json::array{json::object{{"name", pull_secret}}};
  set("priorityClassName", spec.priority_class_name, defaults.default_function_priority_class_name);
  set("preemptionPolicy", spec.preemption_policy, {});
  set("nodeName", spec.node_name, {});
  if (spec.host_ipc) out["hostIPC"] = true;
  if (auto labels = node_selector(input); !labels.empty()) out["nodeSelector"] = to_object(labels);
  Scheduling nodes = scheduling(input);
  if (!nodes.tolerations.empty()) out["tolerations"] = std::move(nodes.tolerations);
  if (!nodes.affinity.empty()) out["affinity"] = std::move(nodes.affinity);
  return out;
}

}  // namespace

std::vector<std::string> left_out_volumes(const spec::FunctionConfig& config) {
  std::vector<std::string> out;
  for (const spec::Volume& pair : config.spec.volumes)
    if (is_forbidden(pair)) out.emplace_back(name_of(pair));
  return out;
}

std::string processor_yaml(const FunctionInput& input) {
  spec::FunctionConfig config = input.config;
  config.metadata.resource_version.clear();
  config.metadata.annotations.erase("nuclio.io/force-update");
  config.metadata.annotations.erase("kubectl.kubernetes.io/last-applied-configuration");
  spec::FunctionSpec& spec = config.spec;
  spec.replicas.reset();
  spec.min_replicas.reset();
  spec.max_replicas.reset();
  spec.disable = false;
  spec.target_cpu = spec::FunctionSpec{}.target_cpu;
  spec.custom_scaling_metric_specs.clear();
  spec.auto_scale_metrics.clear();
  spec.scale_to_zero = {};
  spec.deployment_strategy.clear();
  spec.readiness_timeout_seconds = 0;
  spec.build = {};  // the image has what was made of it
  // As CronJobs they are not the processor's to run.
  std::erase_if(spec.triggers, [&](const auto& each) {
    const auto* cron = std::get_if<spec::CronTrigger>(&each.second.kind);
    return cron && is_cron_job(input.config.spec, input.platform, *cron);
  });
  return spec::to_processor_yaml(config);
}

json::object pod_template(const FunctionInput& input) {
  return {{"metadata", {{"labels", to_object(labels(input.config))}, {"annotations", annotations(input)}}},
          {"spec", pod_spec(input)}};
}

}  // namespace nuclio::controller
