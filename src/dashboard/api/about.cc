// SPDX-License-Identifier: Apache-2.0
// What the dashboard says about itself and its platform.
#include <boost/json.hpp>

#include "base/version.h"
#include "dashboard/api/calls.h"
#include "spec/load.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;

#if defined(__x86_64__)
constexpr std::string_view kArchitecture = "amd64";
#elif defined(__aarch64__)
constexpr std::string_view kArchitecture = "arm64";
#else
constexpr std::string_view kArchitecture = "unknown";
#endif

json::string_view text(std::string_view from) { return {from.data(), from.size()}; }

// Never empty: Nuclio's clients take the first without asking.
json::array external_addresses(const Context& context) {
  json::array out;
  for (const std::string& each : context.external_addresses) out.push_back(json::value(each));
  if (out.empty()) out.push_back("");
  return out;
}

json::value member_or(const json::object& object, std::string_view name, json::value otherwise) {
  const json::value* member = object.if_contains(text(name));
  if (member) return *member;
  return otherwise;
}

// What a function has that says nothing, for forms to begin with.
json::value default_function(const Context& context) {
  spec::FunctionConfig config;
  config.metadata.namespace_name = context.namespace_name.value();
  return spec::to_json(config, spec::Secrets::shown);
}

// Without what stands before an @: a login has no business there, and none here.
json::value without_login(std::string_view registry) {
  std::string out{registry};
  const std::size_t scheme = out.find("://");
  const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t at = out.substr(0, out.find('/', host)).rfind('@');
  if (at != std::string::npos && at >= host) out.erase(host, at + 1 - host);
  return json::value(out);
}

// Where images come from and go to; null where functions are no images.
json::value registries(const Context& context) {
  if (!context.registries) return nullptr;
  json::object bases;
  const json::object* told = nullptr;
  if (const auto* all = context.config.image_registry_overrides.if_contains("baseImageRegistries"))
    told = all->if_object();
  if (told)
    for (const auto& [runtime, registry] : *told)
      if (registry.is_string()) bases[runtime] = without_login(registry.get_string());
  return {{"push", without_login(context.registries->push)},
          {"run", without_login(context.registries->run)},
          {"base", without_login(context.registries->base)},
          {"baseImages", std::move(bases)}};
}

}  // namespace

Task<Response> get_versions(Context&, Request&, const PathParams&) {
  json::object dashboard{{"label", text(kNuclioVersion)},
                         {"implementationVersion", text(kVersion)},
                         {"gitCommit", text(kCommit)},
                         {"os", "linux"},
                         {"arch", text(kArchitecture)}};
  json::object out{{"dashboard", std::move(dashboard)}};
  co_return json_response(200, std::move(out));
}

Task<Response> get_namespaces(Context& context, Request&, const PathParams&) {
  json::array names;
  for (const Namespace& each : context.platform.namespaces()) names.emplace_back(each.value());
  json::object namespaces{{"names", std::move(names)}};
  json::object out{{"namespaces", std::move(namespaces)}};
  co_return json_response(200, std::move(out));
}

Task<Response> get_external_ip_addresses(Context& context, Request&, const PathParams&) {
  json::object addresses{{"addresses", external_addresses(context)}};
  json::object out{{"externalIPAddresses", std::move(addresses)}};
  co_return json_response(200, std::move(out));
}

Task<Response> get_frontend_spec(Context& context, Request&, const PathParams&) {
  const spec::PlatformConfig& config = context.config;
  json::object scale_to_zero{
      {"mode", member_or(config.scale_to_zero, "mode", "disabled")},
      {"inactivityWindowPresets", member_or(config.scale_to_zero, "inactivityWindowPresets", json::array{})},
      {"scaleResources", member_or(config.scale_to_zero, "scaleResources", json::array{})}};
  json::object auto_scale{{"customMetricsEnabled", config.auto_scale_metrics_mode == "custom"},
                          {"metricPresets", config.supported_auto_scale_metrics},
                          {"windowSizePresets", {"1m", "2m", "5m", "10m", "30m"}}};
  const std::vector<std::string>& modes = config.ingress_config.allowed_authentication_modes;
  json::object default_config{{"attributes", default_function(context)}};
  json::object out{
      {"externalIPAddresses", external_addresses(context)},
      {"namespace", context.namespace_name.value()},
      {"defaultHTTPIngressHostTemplate", config.kube.default_http_ingress_host_template},
      {"imageNamePrefixTemplate", ""},
      {"registries", registries(context)},
      {"scaleToZero", std::move(scale_to_zero)},
      {"defaultFunctionConfig", std::move(default_config)},
      {"platformKind", text(context.platform.kind())},
      {"allowedAuthenticationModes", modes.empty() ? json::array{"none", "basicAuth"} : json::value_from(modes)},
      {"validFunctionPriorityClassNames", json::value_from(config.kube.valid_function_priority_class_names)},
      {"defaultFunctionPodResources", config.kube.default_function_pod_resources},
      {"autoScaleMetrics", std::move(auto_scale)},
      {"disableDefaultHttpTrigger", config.disable_default_http_trigger},
      {"logsScreenEnabled", true}};
  co_return json_response(200, std::move(out));
}

}  // namespace nuclio::dashboard
