// SPDX-License-Identifier: Apache-2.0
// Projects, which are no more than names for groups of functions.
#include "base/names.h"
#include "platform/process/managed.h"

namespace nuclio::platform::process {

std::string quoted(const std::string& kind, const std::string& name) { return kind + " \"" + name + "\""; }

ProjectName project_of(const spec::FunctionConfig& config) {
  auto label = config.metadata.labels.find(std::string(spec::kProjectLabel));
  return ProjectName{label == config.metadata.labels.end() ? std::string(spec::kDefaultProject) : label->second};
}

ProjectId id_of(const spec::Project& project) {
  return {Namespace{project.metadata.namespace_name}, ProjectName{project.metadata.name}};
}

Result<std::vector<spec::Project>> ProcessPlatform::projects(const Namespace& namespace_name) {
  std::vector<spec::Project> out;
  for (const auto& [id, project] : projects_)
    if (id.namespace_name == namespace_name) out.push_back(project);
  return out;
}

Result<spec::Project> ProcessPlatform::project(const ProjectId& id) {
  auto found = projects_.find(id);
  if (found == projects_.end()) return fail(Why::not_found, quoted("project", id.name.value()) + " does not exist");
  return found->second;
}

Result<void> ProcessPlatform::create_project(const spec::Project& project) {
  TRY_DO(parse_namespace(project.metadata.namespace_name));
  TRY_DO(parse_project_name(project.metadata.name));
  ProjectId id = id_of(project);
  if (projects_.contains(id)) return fail(Why::conflict, quoted("project", id.name.value()) + " exists already");
  TRY_DO(store_.save(project));
  projects_.emplace(std::move(id), project);
  return {};
}

Result<void> ProcessPlatform::update_project(const spec::Project& project) {
  TRY_DO(this->project(id_of(project)));
  TRY_DO(store_.save(project));
  projects_[id_of(project)] = project;
  return {};
}

std::vector<FunctionId> ProcessPlatform::functions_of(const ProjectId& id) const {
  std::vector<FunctionId> out;
  for (const auto& [function, managed] : functions_)
    if (function.namespace_name == id.namespace_name && project_of(managed->stored.config) == id.name)
      out.push_back(function);
  return out;
}

Task<Result<void>> ProcessPlatform::delete_project(ProjectId id, ProjectDeletion deletion) {
  CO_TRY_DO(project(id));
  std::string what = quoted("project", id.name.value());
  if (id.name.value() == spec::kDefaultProject)
    co_return fail(Why::precondition, what + " cannot be deleted: functions without a project belong to it");
  auto functions = functions_of(id);
  if (!functions.empty() && deletion != ProjectDeletion::cascading)
    co_return fail(Why::precondition, what + " still has " + std::to_string(functions.size()) + " function" +
                                          (functions.size() == 1 ? "" : "s") + ", such as \"" +
                                          functions[0].name.value() +
                                          "\"; delete them first, or use the strategy cascading");
  if (deletion == ProjectDeletion::check) co_return Result<void>{};
  for (const FunctionId& function : functions) {
    ResourceVersion any{""};
    auto deleted = co_await delete_function(function, any, Force::yes);
    if (!deleted && deleted.error().why != Why::not_found) co_return deleted;
  }
  CO_TRY_DO(store_.delete_project(id));
  projects_.erase(id);
  co_return Result<void>{};
}

}  // namespace nuclio::platform::process
