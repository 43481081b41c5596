// SPDX-License-Identifier: Apache-2.0
#include "platform/demands.h"

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "base/names.h"

namespace nuclio::platform {
namespace {

bool is_yes(const spec::Metadata& metadata, const std::string& annotation) {
  auto found = metadata.annotations.find(annotation);
  return found != metadata.annotations.end() && found->second == "true";
}

}  // namespace

std::string quoted(const std::string& kind, const std::string& name) { return kind + " \"" + name + "\""; }

void log_warnings(const std::string& what, const std::vector<schema::Problem>& warnings) {
  for (const schema::Problem& each : warnings) log::warn(what + ": " + schema::text(each));
}

namespace {

std::string quoted(const FunctionId& id) { return platform::quoted("function", id.name.value()); }
std::string quoted(const ProjectId& id) { return platform::quoted("project", id.name.value()); }
std::string quoted(const ApiGatewayId& id) { return platform::quoted("API gateway", id.name.value()); }
std::string quoted(const FunctionEventId& id) { return platform::quoted("function event", id.name.value()); }

ProjectName project_in(const spec::Metadata& metadata) {
  const auto label = metadata.labels.find(std::string(spec::kProjectLabel));
  return ProjectName{label == metadata.labels.end() ? std::string(spec::kDefaultProject) : label->second};
}

// "shop/", "/shop" and "/shop/" are the same place.
std::string_view bare(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

bool leads_to(const spec::ApiGateway& gateway, const std::string& function) {
  return std::ranges::any_of(gateway.spec.upstreams, [&](const auto& each) { return each.function.name == function; });
}

bool answers_at(const spec::FunctionConfig& function, const spec::ApiGatewaySpec& place) {
  for (const auto& [name, trigger] : function.spec.triggers) {
    const auto* http = std::get_if<spec::HttpTrigger>(&trigger.kind);
    if (http == nullptr) continue;
    for (const auto& [key, ingress] : http->ingresses) {
      if (ingress.host != place.host) continue;
      if (ingress.paths.empty() && bare(place.path).empty()) return true;
      if (std::ranges::any_of(ingress.paths, [&](const auto& path) { return bare(path) == bare(place.path); }))
        return true;
    }
  }
  return false;
}

}  // namespace

Result<FunctionId> checked_id(const spec::Metadata& metadata) {
  TRY(Namespace namespace_name, parse_namespace(metadata.namespace_name));
  TRY(FunctionName name, parse_function_name(metadata.name));
  TRY_DO(check_not_reserved(name));
  const auto project = metadata.labels.find(std::string(spec::kProjectLabel));
  if (project != metadata.labels.end()) TRY_DO(parse_project_name(project->second));
  return FunctionId{std::move(namespace_name), std::move(name)};
}

FunctionId id_of(const spec::FunctionConfig& config) {
  return {Namespace{config.metadata.namespace_name}, FunctionName{config.metadata.name}};
}

ProjectId id_of(const spec::Project& project) {
  return {Namespace{project.metadata.namespace_name}, ProjectName{project.metadata.name}};
}

FunctionEventId id_of(const spec::FunctionEvent& event) {
  return {Namespace{event.metadata.namespace_name}, FunctionEventName{event.metadata.name}};
}

ApiGatewayId id_of(const spec::ApiGateway& gateway) {
  return {Namespace{gateway.metadata.namespace_name}, ApiGatewayName{gateway.metadata.name}};
}

Result<FunctionName> function_of(const spec::FunctionEvent& event) {
  const auto label = event.metadata.labels.find(std::string(spec::kFunctionLabel));
  if (label == event.metadata.labels.end())
    return fail(Why::invalid, "metadata.labels must have " + std::string(spec::kFunctionLabel) +
                                  ", the name of the function that the event is for");
  auto name = parse_function_name(label->second);
  if (!name) return std::unexpected(std::move(name).error().in("metadata.labels." + std::string(spec::kFunctionLabel)));
  return name;
}

ProjectName project_of(const spec::FunctionConfig& config) { return project_in(config.metadata); }
ProjectName project_of(const spec::ApiGateway& gateway) { return project_in(gateway.metadata); }

bool is_of(const spec::ApiGateway& gateway, const GatewaysOf& which) {
  if (which.function && !leads_to(gateway, which.function->value())) return false;
  return !which.project || project_of(gateway) == *which.project;
}

bool is_import(const spec::Metadata& metadata) {
  return is_yes(metadata, "skip-build") && is_yes(metadata, "skip-deploy");
}

Result<void> may_change(const spec::FunctionConfig& existing, const std::string& made_from) {
  std::string what = quoted(id_of(existing));
  const std::string& version = existing.metadata.resource_version;
  if (!made_from.empty() && made_from != version)
    return fail(Why::conflict, what + " has changed since: its resourceVersion is " + version + ", not " + made_from +
                                   "; get it again and repeat the change");
  spec::FunctionState state = existing.status.state;
  if (!spec::provisioned(state))
    return fail(Why::precondition,
                what + " is being deployed (" + std::string(schema::name_of(state)) + "); wait until that is over");
  return {};
}

Result<void> may_scale_to_zero(const spec::FunctionConfig& existing) {
  int least = existing.spec.min_replicas.value_or(0);
  if (least <= 0) return {};
  return fail(Why::precondition, quoted(id_of(existing)) + " cannot be scaled to zero: its spec.minReplicas is " +
                                     std::to_string(least) + ", must be 0");
}

Result<void> may_have_priority(const spec::FunctionConfig& config, const spec::PlatformConfig& platform) {
  const std::string& wanted = config.spec.priority_class_name;
  const std::vector<std::string>& valid = platform.kube.valid_function_priority_class_names;
  if (wanted.empty() || valid.empty() || std::ranges::find(valid, wanted) != valid.end()) return {};
  std::string list;
  for (const std::string& each : valid) list += (list.empty() ? "" : ", ") + each;
  return fail(Why::invalid, "spec.priorityClassName must be one of " + list + ", is \"" + wanted + "\"");
}

Result<void> may_delete(const ProjectId& project) {
  if (project.name.value() != spec::kDefaultProject) return {};
  return fail(Why::precondition, quoted(project) + " cannot be deleted: functions without a project belong to it");
}

Result<void> may_delete(const FunctionId& id, const std::vector<spec::ApiGateway>& gateways) {
  for (const spec::ApiGateway& each : gateways)
    if (leads_to(each, id.name.value()))
      return fail(Why::precondition, quoted(id) + " is used by " + quoted(id_of(each)) +
                                         "; delete that first, or the function together with its gateways");
  return {};
}

Result<void> may_serve(const spec::ApiGateway& gateway, const std::vector<spec::ApiGateway>& gateways,
                       const std::vector<spec::FunctionConfig>& functions, CheckFunctions check) {
  const spec::ApiGatewaySpec& spec = gateway.spec;
  const auto taken = [&](const std::string& by) {
    return fail(Why::precondition, "host \"" + spec.host + "\" with path \"" + spec.path + "\" is in use by " + by +
                                       "; choose another host or path");
  };
  for (const spec::ApiGateway& each : gateways) {
    const bool same = each.spec.host == spec.host && bare(each.spec.path) == bare(spec.path);
    if (same && each.metadata.name != gateway.metadata.name) return taken(quoted(id_of(each)));
  }
  for (const spec::FunctionConfig& each : functions)
    if (answers_at(each, spec)) return taken(quoted(id_of(each)));
  if (check == CheckFunctions::no) return {};
  for (const spec::Upstream& upstream : spec.upstreams) {
    const std::string& name = upstream.function.name;
    if (std::ranges::none_of(functions, [&](const auto& each) { return each.metadata.name == name; }))
      return fail(Why::precondition, quoted("function", name) + " does not exist; deploy it first");
  }
  return {};
}

Error missing_function(const FunctionId& id) { return {Why::not_found, quoted(id) + " does not exist"}; }
Error existing_function(const FunctionId& id) {
  return {Why::conflict, quoted(id) + " exists already; update it, or delete it first"};
}
Error missing_revision(const FunctionId& id, Revision number) {
  return {Why::not_found, quoted("function", id.name.value()) + " has no revision " + std::to_string(number.value()) +
                              "; those that it has are listed under /api/v2/functions/" + id.name.value() +
                              "/revisions"};
}

Error missing_project(const ProjectId& id) { return {Why::not_found, quoted(id) + " does not exist"}; }
Error existing_project(const ProjectId& id) { return {Why::conflict, quoted(id) + " exists already"}; }

Error missing_function_event(const FunctionEventId& id) { return {Why::not_found, quoted(id) + " does not exist"}; }
Error existing_function_event(const FunctionEventId& id) { return {Why::conflict, quoted(id) + " exists already"}; }

Error missing_api_gateway(const ApiGatewayId& id) { return {Why::not_found, quoted(id) + " does not exist"}; }
Error existing_api_gateway(const ApiGatewayId& id) { return {Why::conflict, quoted(id) + " exists already"}; }

Error without_project(const spec::FunctionConfig& config) {
  return {Why::precondition, quoted("project", project_of(config).value()) + " does not exist in namespace \"" +
                                 config.metadata.namespace_name + "\"; create it first"};
}

Error project_in_use(const ProjectId& id, std::size_t functions, const FunctionId& one) {
  return {Why::precondition, quoted(id) + " still has " + std::to_string(functions) + " function" +
                                 (functions == 1 ? "" : "s") + ", such as \"" + one.name.value() +
                                 "\"; delete them first, or use the strategy cascading"};
}

Error project_in_use(const ProjectId& id, const std::vector<spec::ApiGateway>& gateways) {
  return {Why::precondition, quoted(id) + " still has " + std::to_string(gateways.size()) + " API gateway" +
                                 (gateways.size() == 1 ? "" : "s") + ", such as \"" + gateways[0].metadata.name +
                                 "\"; delete them first, or use the strategy cascading"};
}

Error never_built(const FunctionId& id) {
  return {Why::invalid, "spec.build.mode is neverBuild, but " + quoted(id) + " was never built"};
}

Error still_deploying(const FunctionId& id) {
  return {Why::timeout, quoted(id) + " is still being deployed; ask for its state later"};
}

}  // namespace nuclio::platform
