// SPDX-License-Identifier: Apache-2.0
// Projects, which are no more than names for groups of functions and gateways.
#include "base/names.h"
#include "platform/process/managed.h"

namespace nuclio::platform::process {

Result<std::vector<spec::Project>> ProcessPlatform::projects(const Namespace& namespace_name) {
  std::vector<spec::Project> out;
  for (const auto& [id, project] : projects_)
    if (id.namespace_name == namespace_name) out.push_back(project);
  return out;
}

Result<spec::Project> ProcessPlatform::project(const ProjectId& id) {
  auto found = projects_.find(id);
  if (found == projects_.end()) return fail(missing_project(id));
  return found->second;
}

Task<Result<void>> ProcessPlatform::create_project(spec::Project project) { co_return add_project(project); }

Result<void> ProcessPlatform::add_project(const spec::Project& project) {
  TRY_DO(parse_namespace(project.metadata.namespace_name));
  TRY_DO(parse_project_name(project.metadata.name));
  ProjectId id = id_of(project);
  if (projects_.contains(id)) return fail(existing_project(id));
  TRY_DO(store_.save(project));
  projects_.emplace(id, project);
  if (observer_) observer_->project_changed(id);
  return {};
}

Task<Result<void>> ProcessPlatform::update_project(spec::Project project) {
  CO_TRY_DO(this->project(id_of(project)));
  CO_TRY_DO(store_.save(project));
  const ProjectId id = id_of(project);
  projects_[id] = std::move(project);
  if (observer_) observer_->project_changed(id);
  co_return Result<void>{};
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
  CO_TRY_DO(may_delete(id));
  auto functions = functions_of(id);
  if (!functions.empty() && deletion != ProjectDeletion::cascading)
    co_return fail(project_in_use(id, functions.size(), functions[0]));
  const GatewaysOf its{.project = id.name};
  CO_TRY(const auto gateways, co_await api_gateways(id.namespace_name, its));
  if (!gateways.empty() && deletion != ProjectDeletion::cascading) co_return fail(project_in_use(id, gateways));
  if (deletion == ProjectDeletion::check) co_return Result<void>{};
  for (const spec::ApiGateway& each : gateways) CO_TRY_DO(store_.delete_api_gateway(id_of(each)));
  for (const FunctionId& function : functions) {
    ResourceVersion any{""};
    auto deleted = co_await delete_function(function, any, Force::yes, WithGateways::yes);
    if (!deleted && deleted.error().why != Why::not_found) co_return deleted;
  }
  CO_TRY_DO(store_.delete_project(id));
  projects_.erase(id);
  if (observer_) observer_->project_changed(id);
  co_return Result<void>{};
}

}  // namespace nuclio::platform::process
