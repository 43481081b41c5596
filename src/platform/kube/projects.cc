// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "base/names.h"
#include "platform/demands.h"
#include "platform/kube/deploying.h"
#include "platform/kube/names.h"
#include "platform/kube/objects.h"

namespace nuclio::platform::kube {
namespace {

using namespace std::chrono_literals;
constexpr auto kCallTime = 30s;

k8s::ObjectName name_of(const ProjectId& id) { return {id.namespace_name.value(), id.name.value()}; }

}  // namespace

// Who may only read need not be able to make one: it is there as soon as somebody who may comes along.
Task<Result<void>> KubePlatform::make_default_project(Namespace namespace_name, Deadline deadline) {
  const ProjectId id{namespace_name, ProjectName{std::string(spec::kDefaultProject)}};
  CO_TRY(Watched * in, watched(namespace_name));
  if (in->projects.find(name_of(id))) co_return Result<void>{};
  spec::Project project;
  project.metadata.name = id.name.value();
  project.metadata.namespace_name = namespace_name.value();
  auto made = co_await api_.create(kProjects, object_of(project, nullptr), deadline);
  if (made) in->projects.put(std::move(*made));
  if (made || made.error().why == Why::conflict || made.error().why == Why::forbidden) co_return Result<void>{};
  if (made.error().why == Why::not_found)
    co_return fail(Why::not_found, "namespace \"" + namespace_name.value() + "\" does not exist in the cluster");
  co_return std::unexpected(std::move(made).error());
}

Result<void> KubePlatform::check_project(const spec::FunctionConfig& config) {
  const ProjectName name = platform::project_of(config);
  const Namespace namespace_name{config.metadata.namespace_name};
  TRY(Watched * in, watched(namespace_name));
  if (name.value() == spec::kDefaultProject || in->projects.find(name_of({namespace_name, name}))) return {};
  return fail(without_project(config));
}

Result<std::vector<spec::Project>> KubePlatform::projects(const Namespace& namespace_name) {
  TRY(Watched * in, watched(namespace_name));
  std::vector<spec::Project> out;
  for (const k8s::Object& object : in->projects.all()) {
    auto project = kube::project_of(*object);
    if (project) out.push_back(std::move(project->config));
  }
  return out;
}

Result<spec::Project> KubePlatform::project(const ProjectId& id) {
  TRY(Watched * in, watched(id.namespace_name));
  const k8s::Object found = in->projects.find(name_of(id));
  if (!found) return fail(missing_project(id));
  TRY(auto loaded, kube::project_of(*found));
  return std::move(loaded.config);
}

Task<Result<void>> KubePlatform::create_project(spec::Project project) {
  CO_TRY_DO(parse_project_name(project.metadata.name));
  const ProjectId id = id_of(project);
  CO_TRY(Watched * in, watched(id.namespace_name));
  project.metadata.resource_version.clear();
  auto made = co_await api_.create(kProjects, object_of(project, nullptr), Deadline::in(kCallTime));
  if (!made && made.error().why == Why::conflict) co_return fail(existing_project(id));
  if (!made) co_return std::unexpected(std::move(made).error());
  in->projects.put(std::move(*made));
  co_return Result<void>{};
}

Task<Result<void>> KubePlatform::update_project(spec::Project project) {
  const ProjectId id = id_of(project);
  CO_TRY(Watched * in, watched(id.namespace_name));
  const k8s::Object existing = in->projects.find(name_of(id));
  if (!existing) co_return fail(missing_project(id));
  if (project.metadata.resource_version.empty())
    project.metadata.resource_version = std::string(k8s::resource_version_of(*existing));
  CO_TRY(auto written, co_await api_.replace(kProjects, object_of(project, existing.get()), Deadline::in(kCallTime)));
  in->projects.put(std::move(written));
  co_return Result<void>{};
}

Task<Result<void>> KubePlatform::delete_project(ProjectId id, ProjectDeletion deletion) {
  CO_TRY_DO(project(id));
  CO_TRY_DO(may_delete(id));
  CO_TRY(Watched * in, watched(id.namespace_name));
  CO_TRY(const auto inside, functions(id.namespace_name, id.name));
  if (!inside.empty() && deletion != ProjectDeletion::cascading)
    co_return fail(project_in_use(id, inside.size(), id_of(inside[0])));
  const GatewaysOf its{.project = id.name};
  CO_TRY(const auto gateways, co_await api_gateways(id.namespace_name, its));
  if (!gateways.empty() && deletion != ProjectDeletion::cascading) co_return fail(project_in_use(id, gateways));
  if (deletion == ProjectDeletion::check) co_return Result<void>{};
  CO_TRY_DO(co_await delete_gateways(gateways, Deadline::in(kCallTime)));
  for (const spec::FunctionConfig& config : inside) {
    const ResourceVersion any{""};
    auto deleted = co_await delete_function(id_of(config), any, Force::yes, WithGateways::yes);
    if (!deleted && deleted.error().why != Why::not_found) co_return deleted;
  }
  const k8s::Object existing = in->projects.find(name_of(id));
  CO_TRY_DO(co_await api_.remove(kProjects, name_of(id), {}, Deadline::in(kCallTime)));
  if (existing) in->projects.put_gone(name_of(id), k8s::uid_of(*existing));
  co_return Result<void>{};
}

}  // namespace nuclio::platform::kube
