// SPDX-License-Identifier: Apache-2.0
#include "platform/demands.h"

#include <algorithm>
#include <vector>

#include "base/names.h"

namespace nuclio::platform {
namespace {

bool is_yes(const spec::Metadata& metadata, const std::string& annotation) {
  auto found = metadata.annotations.find(annotation);
  return found != metadata.annotations.end() && found->second == "true";
}

}  // namespace

std::string quoted(const std::string& kind, const std::string& name) { return kind + " \"" + name + "\""; }

namespace {

std::string quoted(const FunctionId& id) { return platform::quoted("function", id.name.value()); }
std::string quoted(const ProjectId& id) { return platform::quoted("project", id.name.value()); }
std::string quoted(const FunctionEventId& id) { return platform::quoted("function event", id.name.value()); }

}  // namespace

Result<FunctionId> checked_id(const spec::Metadata& metadata) {
  TRY(Namespace namespace_name, parse_namespace(metadata.namespace_name));
  TRY(FunctionName name, parse_function_name(metadata.name));
  TRY_DO(check_not_reserved(name));
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

Result<FunctionName> function_of(const spec::FunctionEvent& event) {
  const auto label = event.metadata.labels.find(std::string(spec::kFunctionLabel));
  if (label == event.metadata.labels.end())
    return fail(Why::invalid, "metadata.labels must have " + std::string(spec::kFunctionLabel) +
                                  ", the name of the function that the event is for");
  auto name = parse_function_name(label->second);
  if (!name) return std::unexpected(std::move(name).error().in("metadata.labels." + std::string(spec::kFunctionLabel)));
  return name;
}

ProjectName project_of(const spec::FunctionConfig& config) {
  auto label = config.metadata.labels.find(std::string(spec::kProjectLabel));
  return ProjectName{label == config.metadata.labels.end() ? std::string(spec::kDefaultProject) : label->second};
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

Error missing_function(const FunctionId& id) { return {Why::not_found, quoted(id) + " does not exist"}; }
Error existing_function(const FunctionId& id) {
  return {Why::conflict, quoted(id) + " exists already; update it, or delete it first"};
}
Error missing_project(const ProjectId& id) { return {Why::not_found, quoted(id) + " does not exist"}; }
Error existing_project(const ProjectId& id) { return {Why::conflict, quoted(id) + " exists already"}; }

Error missing_function_event(const FunctionEventId& id) { return {Why::not_found, quoted(id) + " does not exist"}; }
Error existing_function_event(const FunctionEventId& id) { return {Why::conflict, quoted(id) + " exists already"}; }

Error without_project(const spec::FunctionConfig& config) {
  return {Why::precondition, quoted("project", project_of(config).value()) + " does not exist in namespace \"" +
                                 config.metadata.namespace_name + "\"; create it first"};
}

Error project_in_use(const ProjectId& id, std::size_t functions, const FunctionId& one) {
  return {Why::precondition, quoted(id) + " still has " + std::to_string(functions) + " function" +
                                 (functions == 1 ? "" : "s") + ", such as \"" + one.name.value() +
                                 "\"; delete them first, or use the strategy cascading"};
}

Error never_built(const FunctionId& id) {
  return {Why::invalid, "spec.build.mode is neverBuild, but " + quoted(id) + " was never built"};
}

Error still_deploying(const FunctionId& id) {
  return {Why::timeout, quoted(id) + " is still being deployed; ask for its state later"};
}

}  // namespace nuclio::platform
