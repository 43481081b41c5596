// SPDX-License-Identifier: Apache-2.0
#include "spec/enrich.h"

#include <algorithm>

#include "spec/platform_config.h"

namespace nuclio::spec {
namespace {

void add_environment(const std::vector<EnvironmentVariable>& more, std::vector<EnvironmentVariable>& env) {
  for (const EnvironmentVariable& variable : more) {
    const bool known = std::ranges::any_of(env, [&](const auto& own) { return own.name == variable.name; });
    if (!known) env.push_back(variable);
  }
}

void copy_missing_replicas(FunctionSpec& spec) {
  if (spec.replicas) return;
  if (!spec.min_replicas) spec.min_replicas = spec.max_replicas;
  // Zero is no maximum; a minimum of zero needs a maximum of its own.
  if (!spec.max_replicas && spec.min_replicas.value_or(0) > 0) spec.max_replicas = spec.min_replicas;
}

void add_default_http_trigger(FunctionSpec& spec, const PlatformConfig& platform) {
  if (spec.disable_default_http_trigger.value_or(platform.disable_default_http_trigger)) return;
  if (std::ranges::any_of(spec.triggers, [](const auto& named) { return is_http(named.second); })) return;
  Trigger& trigger = spec.triggers[std::string(kDefaultHttpTrigger)];
  trigger = Trigger{};
  trigger.kind = HttpTrigger{};
  trigger.name = kDefaultHttpTrigger;
}

}  // namespace

FunctionConfig enrich(FunctionConfig config, const PlatformConfig& platform) {
  config.metadata.labels.try_emplace(std::string(kProjectLabel), kDefaultProject);
  FunctionSpec& spec = config.spec;
  copy_missing_replicas(spec);
  for (auto& [key, trigger] : spec.triggers)
    if (trigger.name.empty()) trigger.name = key;
  if (spec.runtime.starts_with("python")) add_environment(platform.runtime.python.env, spec.env);
  add_environment(platform.runtime.common.env, spec.env);
  add_default_http_trigger(spec, platform);
  return config;
}

FunctionConfig exported(FunctionConfig config, KeepSecrets secrets, Cleanup cleanup) {
  auto& annotations = config.metadata.annotations;
  annotations["skip-build"] = "true";
  annotations["skip-deploy"] = "true";
  if (config.status.state != FunctionState::none)
    annotations["nuclio.io/previous-state"] = schema::name_of(config.status.state);
  config.metadata.namespace_name.clear();
  config.metadata.resource_version.clear();
  config.status = {};
  if (secrets == KeepSecrets::no) {
    for (auto& [key, trigger] : config.spec.triggers) {
      trigger.password.clear();
      trigger.secret.clear();
    }
  }
  if (cleanup == Cleanup::yes) {
    config.spec.run_registry.clear();
    config.spec.build.registry.clear();
    if (!config.spec.build.function_source_code.empty()) config.spec.image.clear();
  }
  return config;
}

ApiGateway enrich(ApiGateway gateway) {
  gateway.metadata.labels.try_emplace(std::string(kProjectLabel), kDefaultProject);
  if (gateway.spec.name.empty()) gateway.spec.name = gateway.metadata.name;
  gateway.status = {.name = gateway.spec.name,
                    .last_error = {},
                    .description = gateway.spec.description,
                    .state = std::string(kWaitingForProvisioning)};
  return gateway;
}

ApiGateway exported(ApiGateway gateway) {
  gateway.metadata.namespace_name.clear();
  gateway.metadata.resource_version.clear();
  gateway.status = {};
  return gateway;
}

}  // namespace nuclio::spec
