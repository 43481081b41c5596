// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/authorized_platform.h"

#include <boost/json.hpp>

#include "platform/demands.h"
#include "spec/load.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;
using platform::ApiGatewayId;
using platform::FunctionEventId;
using platform::FunctionId;
using platform::ProjectId;

std::string text_at(const json::value& object, std::string_view name) {
  const json::value* member =
      object.is_object() ? object.get_object().if_contains(json::string_view(name.data(), name.size())) : nullptr;
  return member && member->is_string() ? std::string(member->get_string()) : std::string();
}

const json::value& part(const json::value& object, std::string_view name) {
  static const json::value nothing;
  const json::value* member =
      object.is_object() ? object.get_object().if_contains(json::string_view(name.data(), name.size())) : nullptr;
  return member ? *member : nothing;
}

Resource resource_of(const ProjectId& id) {
  return {
      .kind = Kind::project, .name_space = id.namespace_name, .project = id.name.value(), .name = "", .function = ""};
}

Resource resource_of(const spec::Project& project) { return resource_of(platform::id_of(project)); }

Result<spec::FunctionConfig> without_secrets(const spec::FunctionConfig& config) {
  auto masked = spec::read_function(spec::to_json(config, spec::Secrets::masked), spec::Unknown::warning);
  if (!masked) return std::unexpected(std::move(masked).error().in("a function whose secrets were hidden"));
  return std::move(masked->config);
}

// The function that somebody gives, in the project that it would be in.
Resource resource_given(const json::value& given) {
  const json::value& metadata = part(given, "metadata");
  std::string project = text_at(part(metadata, "labels"), spec::kProjectLabel);
  if (project.empty()) project = spec::kDefaultProject;
  return {.kind = Kind::function,
          .name_space = Namespace{text_at(metadata, "namespace")},
          .project = std::move(project),
          .name = text_at(metadata, "name"),
          .function = ""};
}

}  // namespace

Resource AuthorizedPlatform::resource_of(const spec::FunctionConfig& config) const {
  return {.kind = Kind::function,
          .name_space = Namespace{config.metadata.namespace_name},
          .project = platform::project_of(config).value(),
          .name = config.metadata.name,
          .function = ""};
}

Resource AuthorizedPlatform::resource_of(const spec::FunctionEvent& event) const {
  Namespace name_space{event.metadata.namespace_name};
  Resource out{.kind = Kind::function_event,
               .name_space = name_space,
               .project = "",
               .name = event.metadata.name,
               .function = ""};
  const auto name = platform::function_of(event);
  if (!name) return out;
  out.function = name->value();
  const auto function = platform_.function({std::move(name_space), *name});
  if (function) out.project = platform::project_of(*function).value();
  return out;
}

Resource AuthorizedPlatform::resource_of(const spec::ApiGateway& gateway) const {
  return {.kind = Kind::api_gateway,
          .name_space = Namespace{gateway.metadata.namespace_name},
          .project = platform::project_of(gateway).value(),
          .name = gateway.metadata.name,
          .function = ""};
}

Task<Result<std::vector<bool>>> AuthorizedPlatform::allows(Action action, std::vector<Resource> resources) {
  return allowed(authorizer_, caller_, action, std::move(resources));
}

Task<Result<void>> AuthorizedPlatform::demand(Action action, Resource resource) {
  const std::string what = std::string(text(action)) + " " + text(resource);
  if (action != Action::read) attempted_ += (attempted_.empty() ? "" : "; ") + what;
  std::vector<Resource> resources;
  resources.push_back(std::move(resource));
  CO_TRY(std::vector<bool> answers, co_await allows(action, std::move(resources)));
  if (answers[0]) co_return Result<void>{};
  co_return fail(Why::forbidden, caller_.name + " may not " + what);
}

// What it gives is the function as it was permitted: somebody may have moved it to another project while the authorizer
// was asked.
Task<Result<spec::FunctionConfig>> AuthorizedPlatform::demand_of_function(FunctionId id, Action action) {
  CO_TRY(spec::FunctionConfig config, platform_.function(id));
  CO_TRY_DO(co_await demand(action, resource_of(config)));
  CO_TRY(spec::FunctionConfig now, platform_.function(id));
  if (platform::project_of(now) != platform::project_of(config))
    co_return fail(Why::conflict, platform::quoted("function", id.name.value()) +
                                      " was moved to another project meanwhile; get it again and repeat the call");
  co_return now;
}

template <class T>
Task<Result<std::vector<T>>> AuthorizedPlatform::readable(std::vector<T> all) {
  using dashboard::resource_of;
  std::vector<Resource> resources;
  resources.reserve(all.size());
  for (const T& each : all) {
    if constexpr (std::is_same_v<T, spec::Project>) {
      resources.push_back(dashboard::resource_of(each));
    } else {
      resources.push_back(this->resource_of(each));
    }
  }
  CO_TRY(std::vector<bool> answers, co_await allows(Action::read, std::move(resources)));
  std::vector<T> out;
  out.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    if (answers[i]) out.push_back(std::move(all[i]));
  co_return out;
}

Task<Result<std::vector<spec::FunctionConfig>>> AuthorizedPlatform::functions(Namespace name_space,
                                                                              std::optional<ProjectName> project) {
  CO_TRY(auto all, platform_.functions(name_space, project));
  CO_TRY(auto may_read, co_await readable(std::move(all)));
  co_return co_await as_seen(std::move(may_read));
}

Task<Result<spec::FunctionConfig>> AuthorizedPlatform::function(FunctionId id) {
  CO_TRY(spec::FunctionConfig config, co_await demand_of_function(std::move(id), Action::read));
  std::vector<spec::FunctionConfig> one;
  one.push_back(std::move(config));
  CO_TRY(auto seen, co_await as_seen(std::move(one)));
  co_return std::move(seen[0]);
}

Task<Result<std::vector<spec::FunctionConfig>>> AuthorizedPlatform::as_seen(std::vector<spec::FunctionConfig> all) {
  std::vector<Resource> resources;
  resources.reserve(all.size());
  for (const spec::FunctionConfig& each : all) resources.push_back(resource_of(each));
  CO_TRY(const std::vector<bool> may_change, co_await allows(Action::update, std::move(resources)));
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (may_change[i]) continue;
    CO_TRY(all[i], without_secrets(all[i]));
  }
  co_return all;
}

Task<Result<AuthorizedPlatform::ToInvoke>> AuthorizedPlatform::function_to_invoke(FunctionId id) {
  CO_TRY(spec::FunctionConfig function, co_await demand_of_function(id, Action::invoke));
  co_return ToInvoke{.function = std::move(function), .replica = platform_.replica_to_invoke(id)};
}

// Nobody else may say who it was.
void AuthorizedPlatform::note_deployer(json::value& given) const {
  if (!given.is_object()) return;
  json::value* metadata = given.get_object().if_contains("metadata");
  if (!metadata || !metadata->is_object()) return;
  const bool known = caller_.credential != Credential::none;
  json::value* annotations = metadata->get_object().if_contains("annotations");
  if (!annotations && known) annotations = &metadata->get_object()["annotations"];
  if (annotations && annotations->is_null() && known) annotations->emplace_object();
  if (!annotations || !annotations->is_object()) return;
  annotations->get_object().erase(platform::kDeployedBy);
  if (known) annotations->get_object()[platform::kDeployedBy] = caller_.name;
}

Task<Result<void>> AuthorizedPlatform::deploy(json::value given, platform::Deploy mode) {
  const Resource wanted = resource_given(given);
  const FunctionId id{wanted.name_space, FunctionName{wanted.name}};
  const auto existing = platform_.function(id);
  if (existing) CO_TRY_DO(co_await demand_of_function(id, Action::update));
  if (!existing || resource_of(*existing).project != wanted.project) CO_TRY_DO(co_await demand(Action::create, wanted));
  const auto now = platform_.function(id);
  const bool same = now && existing ? platform::project_of(*now) == platform::project_of(*existing)
                                    : now.has_value() == existing.has_value();
  if (!same)
    co_return fail(Why::conflict,
                   platform::quoted("function", id.name.value()) + " has changed meanwhile; repeat the call");
  note_deployer(given);
  co_return co_await platform_.deploy(std::move(given), mode);
}

Task<Result<void>> AuthorizedPlatform::set_desired_state(FunctionId id, platform::DesiredState state) {
  CO_TRY_DO(co_await demand_of_function(id, Action::redeploy));
  co_return co_await platform_.set_desired_state(std::move(id), state);
}

Task<Result<void>> AuthorizedPlatform::settled(FunctionId id, Deadline deadline) {
  CO_TRY_DO(co_await demand_of_function(id, Action::read));
  co_return co_await platform_.settled(std::move(id), deadline);
}

Task<Result<void>> AuthorizedPlatform::delete_function(FunctionId id, platform::ResourceVersion version, Force force,
                                                       platform::WithGateways gateways) {
  CO_TRY_DO(co_await demand_of_function(id, Action::remove));
  if (gateways == platform::WithGateways::yes) {
    platform::GatewaysOf its{.function = id.name};
    CO_TRY(const auto with_it, co_await platform_.api_gateways(id.namespace_name, std::move(its)));
    for (const spec::ApiGateway& each : with_it) CO_TRY_DO(co_await demand(Action::remove, resource_of(each)));
  }
  co_return co_await platform_.delete_function(std::move(id), std::move(version), force, gateways);
}

Task<Result<std::vector<platform::ReplicaName>>> AuthorizedPlatform::replicas(FunctionId id) {
  CO_TRY_DO(co_await demand_of_function(id, Action::read));
  co_return platform_.replicas(id);
}

Task<Result<std::unique_ptr<http::BodySource>>> AuthorizedPlatform::logs(FunctionId id, platform::ReplicaName replica,
                                                                         platform::LogRequest request) {
  CO_TRY_DO(co_await demand_of_function(id, Action::read));
  co_return platform_.logs(id, replica, request);
}

Task<Result<std::vector<platform::RevisionSummary>>> AuthorizedPlatform::revisions(FunctionId id) {
  CO_TRY_DO(co_await demand_of_function(id, Action::read));
  co_return co_await platform_.revisions(std::move(id));
}

Task<Result<spec::FunctionConfig>> AuthorizedPlatform::revision(FunctionId id, platform::Revision number) {
  CO_TRY(const spec::FunctionConfig now, co_await demand_of_function(id, Action::read));
  CO_TRY(spec::FunctionConfig config, co_await platform_.revision(std::move(id), number));
  // By the project that it is in, whatever the one was that it was in.
  std::vector<Resource> resources;
  resources.push_back(resource_of(now));
  CO_TRY(const std::vector<bool> may_change, co_await allows(Action::update, std::move(resources)));
  if (may_change[0]) co_return config;
  co_return without_secrets(config);
}

Task<Result<std::vector<spec::Project>>> AuthorizedPlatform::projects(Namespace name_space) {
  CO_TRY(auto all, platform_.projects(name_space));
  co_return co_await readable(std::move(all));
}

Task<Result<spec::Project>> AuthorizedPlatform::project(ProjectId id) {
  CO_TRY_DO(co_await demand(Action::read, dashboard::resource_of(id)));
  co_return platform_.project(id);
}

Task<Result<void>> AuthorizedPlatform::create_project(spec::Project project) {
  CO_TRY_DO(co_await demand(Action::create, dashboard::resource_of(project)));
  co_return co_await platform_.create_project(std::move(project));
}

Task<Result<void>> AuthorizedPlatform::update_project(spec::Project project) {
  CO_TRY_DO(co_await demand(Action::update, dashboard::resource_of(project)));
  co_return co_await platform_.update_project(std::move(project));
}

Task<Result<void>> AuthorizedPlatform::delete_project(ProjectId id, platform::ProjectDeletion deletion) {
  CO_TRY_DO(co_await demand(Action::remove, dashboard::resource_of(id)));
  co_return co_await platform_.delete_project(std::move(id), deletion);
}

Task<Result<std::vector<spec::FunctionEvent>>> AuthorizedPlatform::function_events(
    Namespace name_space, std::optional<FunctionName> function) {
  CO_TRY(auto all, co_await platform_.function_events(std::move(name_space), std::move(function)));
  co_return co_await readable(std::move(all));
}

Task<Result<spec::FunctionEvent>> AuthorizedPlatform::function_event(FunctionEventId id) {
  CO_TRY(spec::FunctionEvent event, co_await platform_.function_event(std::move(id)));
  CO_TRY_DO(co_await demand(Action::read, resource_of(event)));
  co_return event;
}

Task<Result<void>> AuthorizedPlatform::create_function_event(spec::FunctionEvent event) {
  CO_TRY_DO(co_await demand(Action::create, resource_of(event)));
  co_return co_await platform_.create_function_event(std::move(event));
}

Task<Result<void>> AuthorizedPlatform::update_function_event(spec::FunctionEvent event) {
  CO_TRY(const spec::FunctionEvent existing, co_await platform_.function_event(platform::id_of(event)));
  CO_TRY_DO(co_await demand(Action::update, resource_of(existing)));
  CO_TRY_DO(co_await demand(Action::update, resource_of(event)));
  co_return co_await platform_.update_function_event(std::move(event));
}

Task<Result<void>> AuthorizedPlatform::delete_function_event(FunctionEventId id) {
  CO_TRY(const spec::FunctionEvent existing, co_await platform_.function_event(id));
  CO_TRY_DO(co_await demand(Action::remove, resource_of(existing)));
  co_return co_await platform_.delete_function_event(std::move(id));
}

Task<Result<std::vector<spec::ApiGateway>>> AuthorizedPlatform::api_gateways(Namespace name_space,
                                                                             platform::GatewaysOf which) {
  CO_TRY(auto all, co_await platform_.api_gateways(std::move(name_space), std::move(which)));
  co_return co_await readable(std::move(all));
}

Task<Result<spec::ApiGateway>> AuthorizedPlatform::api_gateway(ApiGatewayId id) {
  CO_TRY(spec::ApiGateway gateway, co_await platform_.api_gateway(std::move(id)));
  CO_TRY_DO(co_await demand(Action::read, resource_of(gateway)));
  co_return gateway;
}

// Those that do not exist are nobody's yet.
Task<Result<void>> AuthorizedPlatform::demand_of_upstreams(spec::ApiGateway gateway) {
  for (const spec::Upstream& each : gateway.spec.upstreams) {
    const FunctionId id{Namespace{gateway.metadata.namespace_name}, FunctionName{each.function.name}};
    const auto function = platform_.function(id);
    if (function) CO_TRY_DO(co_await demand(Action::invoke, resource_of(*function)));
  }
  co_return Result<void>{};
}

Task<Result<spec::ApiGateway>> AuthorizedPlatform::create_api_gateway(spec::ApiGateway gateway,
                                                                      platform::CheckFunctions check) {
  CO_TRY_DO(co_await demand(Action::create, resource_of(gateway)));
  CO_TRY_DO(co_await demand_of_upstreams(gateway));
  co_return co_await platform_.create_api_gateway(std::move(gateway), check);
}

Task<Result<spec::ApiGateway>> AuthorizedPlatform::update_api_gateway(spec::ApiGateway gateway,
                                                                      platform::CheckFunctions check) {
  CO_TRY(const spec::ApiGateway existing, co_await platform_.api_gateway(platform::id_of(gateway)));
  CO_TRY_DO(co_await demand(Action::update, resource_of(existing)));
  CO_TRY_DO(co_await demand(Action::update, resource_of(gateway)));
  CO_TRY_DO(co_await demand_of_upstreams(gateway));
  co_return co_await platform_.update_api_gateway(std::move(gateway), check);
}

Task<Result<void>> AuthorizedPlatform::delete_api_gateway(ApiGatewayId id) {
  CO_TRY(const spec::ApiGateway existing, co_await platform_.api_gateway(id));
  CO_TRY_DO(co_await demand(Action::remove, resource_of(existing)));
  co_return co_await platform_.delete_api_gateway(std::move(id));
}

}  // namespace nuclio::dashboard
