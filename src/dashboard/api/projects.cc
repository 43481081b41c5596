// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "base/names.h"
#include "dashboard/api/calls.h"
#include "platform/demands.h"
#include "spec/enrich.h"
#include "spec/load.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;
using platform::ProjectDeletion;
using platform::ProjectId;

constexpr std::string_view kNamespaceHeader = "X-Nuclio-Project-Namespace";

json::value shown(const spec::Project& project) { return with_all_parts(spec::to_json(project)); }

ProjectId id_in_path(const Context& context, const Request& request, const PathParams& params) {
  return {namespace_of(context, request, kNamespaceHeader), params.as<ProjectName>("id")};
}

Result<spec::Project> project_from(const Context& context, const Request& request, const json::value& value,
                                   std::string_view name_in_path) {
  TRY(auto loaded, spec::read_project(value, spec::Unknown::warning));
  platform::log_warnings("project", loaded.warnings);
  spec::Metadata& metadata = loaded.config.metadata;
  TRY(metadata.name, name_of_both(metadata.name, name_in_path));
  if (metadata.namespace_name.empty())
    metadata.namespace_name = namespace_of(context, request, kNamespaceHeader).value();
  TRY_DO(parse_project_name(metadata.name));
  TRY_DO(parse_namespace(metadata.namespace_name));
  loaded.config.status = {};
  return std::move(loaded.config);
}

// The events of these functions, without what is this platform's alone.
Task<Result<json::object>> exported_events(Context& context, Namespace namespace_name, const json::object& functions) {
  CO_TRY(auto events, co_await context.platform.function_events(std::move(namespace_name), std::nullopt));
  json::object out;
  for (spec::FunctionEvent& event : events) {
    const auto function = platform::function_of(event);
    if (!function || !functions.contains(function->value())) continue;
    event.metadata.namespace_name.clear();
    event.metadata.resource_version.clear();
    out[event.metadata.name] = dashboard::shown(event);
  }
  co_return out;
}

Task<Result<json::object>> exported_gateways(Context& context, Namespace namespace_name, ProjectName project) {
  platform::GatewaysOf its{.project = std::move(project)};
  CO_TRY(auto gateways, co_await context.platform.api_gateways(std::move(namespace_name), std::move(its)));
  json::object out;
  for (const spec::ApiGateway& each : gateways) out[each.metadata.name] = exported_gateway(each);
  co_return out;
}

// A project with all that is in it, for another platform to import.
Task<Result<json::value>> exported(Context& context, const Request& request, const spec::Project& project) {
  Namespace namespace_name{project.metadata.namespace_name};
  CO_TRY(auto functions, co_await context.platform.functions(namespace_name, ProjectName{project.metadata.name}));
  spec::Project stripped = project;
  stripped.metadata.namespace_name.clear();
  stripped.metadata.resource_version.clear();
  stripped.status = {};
  json::object exported_functions;
  for (const auto& config : functions) exported_functions[config.metadata.name] = exported_for(request, config);
  CO_TRY(json::object events, co_await exported_events(context, namespace_name, exported_functions));
  ProjectName name{project.metadata.name};
  CO_TRY(json::object gateways, co_await exported_gateways(context, std::move(namespace_name), std::move(name)));
  json::object out{{"project", shown(stripped)},
                   {"functions", std::move(exported_functions)},
                   {"functionEvents", std::move(events)},
                   {"apiGateways", std::move(gateways)}};
  co_return json::value(std::move(out));
}

// How many objects of a kind came in, and why the others did not.
struct ImportResult {
  int created = 0;
  std::map<std::string, std::string> failed;  // by name

  void add(std::string_view name, const Result<void>& imported) {
    if (imported) {
      ++created;
    } else {
      failed.emplace(name, imported.error().what);
    }
  }

  // `kind` names an object in the list of those that failed.
  json::value to_json(std::string_view failed_key, std::string_view kind) const {
    json::array list;
    for (const auto& [name, why] : failed) list.push_back(json::object{{kind, name}, {"error", why}});
    json::object out{{"createdAmount", created}, {"failedAmount", failed.size()}};
    // null when none failed, as Nuclio has it
    out[failed_key] = list.empty() ? json::value{} : json::value(std::move(list));
    return out;
  }
};

Task<Result<ImportResult>> import_functions(Context& context, const json::object& functions,
                                            const spec::Project& project) {
  ImportResult result;
  for (const auto& [key, value] : functions) {
    json::value function = value;
    Result<void> imported{};
    if (!function.is_object()) {
      imported = fail(Why::invalid, "must be an object");
    } else {
      auto metadata = member_object(function.get_object(), "metadata");
      if (!metadata) co_return std::unexpected(std::move(metadata).error());
      if (member_text(*metadata, "name").empty()) (*metadata)["name"] = key;
      (*metadata)["namespace"] = project.metadata.namespace_name;
      auto labels = member_object(*metadata, "labels");
      if (!labels) co_return std::unexpected(std::move(labels).error());
      (*labels)[spec::kProjectLabel] = project.metadata.name;
      (*metadata)["labels"] = std::move(*labels);
      function.get_object()["metadata"] = std::move(*metadata);
      function.get_object().erase("status");
      imported = co_await context.platform.deploy(std::move(function), platform::Deploy::only_new);
    }
    result.add(key, imported);
  }
  co_return result;
}

Result<spec::FunctionEvent> event_to_import(std::string_view name, const json::value& value,
                                            const spec::Project& project, const ImportResult& functions) {
  TRY(auto loaded, spec::read_function_event(value, spec::Unknown::warning));
  platform::log_warnings("function event", loaded.warnings);
  spec::FunctionEvent& event = loaded.config;
  if (event.metadata.name.empty()) event.metadata.name = name;
  event.metadata.namespace_name = project.metadata.namespace_name;
  TRY(const FunctionName function, platform::function_of(event));
  if (functions.failed.contains(function.value()))
    return fail(Why::precondition, "its function \"" + function.value() + "\" could not be imported");
  return std::move(event);
}

Task<ImportResult> import_events(Context& context, const json::object& events, const spec::Project& project,
                                 const ImportResult& functions) {
  ImportResult result;
  for (const auto& [key, value] : events) {
    Result<void> imported{};
    auto event = event_to_import(key, value, project, functions);
    if (event) {
      imported = co_await context.platform.create_function_event(std::move(*event));
    } else {
      imported = std::unexpected(std::move(event).error());
    }
    result.add(key, imported);
  }
  co_return result;
}

Result<spec::ApiGateway> gateway_to_import(std::string_view name, const json::value& value,
                                           const spec::Project& project) {
  TRY(auto loaded, spec::read_api_gateway(value, spec::Unknown::warning));
  platform::log_warnings("API gateway", loaded.warnings);
  spec::Metadata& metadata = loaded.config.metadata;
  if (metadata.name.empty()) metadata.name = name;
  metadata.namespace_name = project.metadata.namespace_name;
  metadata.labels[std::string(spec::kProjectLabel)] = project.metadata.name;
  return std::move(loaded.config);
}

Task<ImportResult> import_gateways(Context& context, const json::object& gateways, const spec::Project& project) {
  ImportResult result;
  for (const auto& [key, value] : gateways) {
    auto gateway = gateway_to_import(key, value, project);
    if (!gateway) {
      result.add(key, std::unexpected(std::move(gateway).error()));
      continue;
    }
    // Functions that could not be imported may be there already, or come later.
    auto made = co_await context.platform.create_api_gateway(std::move(*gateway), platform::CheckFunctions::no);
    Result<void> imported{};
    if (!made) imported = std::unexpected(std::move(made).error());
    result.add(key, imported);
  }
  co_return result;
}

Task<Response> import_project(Context& context, const Request& request, json::object body) {
  auto functions = member_object(body, "functions");
  if (!functions) co_return Response::error(functions.error());
  auto events = member_object(body, "functionEvents");
  if (!events) co_return Response::error(events.error());
  auto gateways = member_object(body, "apiGateways");
  if (!gateways) co_return Response::error(gateways.error());
  auto project = project_from(context, request, body["project"], "");
  if (!project) co_return Response::error(std::move(project).error().in("project"));
  auto created = co_await context.platform.create_project(*project);
  if (!created && created.error().why != Why::conflict) co_return Response::error(created.error());
  auto imported = co_await import_functions(context, *functions, *project);
  if (!imported) co_return Response::error(imported.error());
  const ImportResult imported_events = co_await import_events(context, *events, *project, *imported);
  const ImportResult imported_gateways = co_await import_gateways(context, *gateways, *project);
  json::object out{{"functionImportResult", imported->to_json("failedFunctions", "function")},
                   {"functionEventImportResult", imported_events.to_json("failedFunctionEvents", "functionEvent")},
                   {"apiGatewayImportResult", imported_gateways.to_json("failedAPIGateways", "apiGateway")}};
  co_return json_response(201, std::move(out));
}

Task<Response> update(Context& context, const Request& request, std::string_view name_in_path) {
  auto body = body_object(request);
  if (!body) co_return Response::error(body.error());
  auto project = project_from(context, request, json::value(std::move(*body)), name_in_path);
  if (!project) co_return Response::error(project.error());
  auto updated = co_await context.platform.update_project(*project);
  if (!updated) co_return Response::error(updated.error());
  co_return Response::empty(204);
}

}  // namespace

Task<Response> get_projects(Context& context, Request& request, const PathParams&) {
  auto projects = co_await context.platform.projects(namespace_of(context, request, kNamespaceHeader));
  if (!projects) co_return Response::error(projects.error());
  json::object out;
  for (const auto& project : *projects) {
    json::value value = shown(project);
    if (wants_export(request)) {
      auto whole = co_await exported(context, request, project);
      if (!whole) co_return Response::error(whole.error());
      value = std::move(*whole);
    }
    out[project.metadata.name] = std::move(value);
  }
  co_return json_response(200, std::move(out));
}

Task<Response> get_project(Context& context, Request& request, const PathParams& params) {
  auto project = co_await context.platform.project(id_in_path(context, request, params));
  if (!project) co_return Response::error(project.error());
  if (!wants_export(request)) co_return json_response(200, shown(*project));
  auto whole = co_await exported(context, request, *project);
  if (!whole) co_return Response::error(whole.error());
  co_return json_response(200, *whole);
}

Task<Response> post_project(Context& context, Request& request, const PathParams&) {
  auto body = body_object(request);
  if (!body) co_return Response::error(body.error());
  if (is_true(http::query_param(request.query, "import").value_or("")))
    co_return co_await import_project(context, request, std::move(*body));
  auto project = project_from(context, request, json::value(std::move(*body)), "");
  if (!project) co_return Response::error(project.error());
  auto created = co_await context.platform.create_project(*project);
  if (!created) co_return Response::error(created.error());
  co_return json_response(201, shown(*project));
}

Task<Response> put_project(Context& context, Request& request, const PathParams& params) {
  co_return co_await update(context, request, params.get("id"));
}

Task<Response> put_project_deprecated(Context& context, Request& request, const PathParams&) {
  Response response = co_await update(context, request, "");
  response.headers.set("Deprecation", "true");
  co_return response;
}

Task<Response> delete_project(Context& context, Request& request, const PathParams&) {
  auto body = body_object(request);
  if (!body) co_return Response::error(body.error());
  auto project = project_from(context, request, json::value(std::move(*body)), "");
  if (!project) co_return Response::error(project.error());
  std::string_view named = request.headers.get("X-Nuclio-Delete-Project-Strategy");
  auto deletion = ProjectDeletion::restricted;
  if (named == "cascading") {
    deletion = ProjectDeletion::cascading;
  } else if (named == "check") {
    deletion = ProjectDeletion::check;
  } else if (!named.empty() && named != "restricted") {
    Error error{Why::invalid, "X-Nuclio-Delete-Project-Strategy must be restricted, cascading or check, is \"" +
                                  std::string(named) + "\""};
    co_return Response::error(error);
  }
  ProjectId id{Namespace{project->metadata.namespace_name}, ProjectName{project->metadata.name}};
  auto deleted = co_await context.platform.delete_project(std::move(id), deletion);
  if (!deleted) co_return Response::error(deleted.error());
  co_return Response::empty(204);
}

}  // namespace nuclio::dashboard
