// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <map>
#include <set>

#include "base/names.h"
#include "dashboard/api/calls.h"
#include "http/status.h"
#include "spec/enrich.h"
#include "spec/load.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using platform::FunctionId;

constexpr std::string_view kNamespaceHeader = "X-Nuclio-Function-Namespace";
// A build may take an hour, by default, and a start its readiness time-out; whoever waits longer asks again.
constexpr auto kWaitLimit = 2h;

FunctionId id_in_path(const Context& context, const Request& request, const PathParams& params) {
  return {namespace_of(context, request, kNamespaceHeader), params.as<FunctionName>("id")};
}

// The answer to a change that has begun: at once, or when its end is waited for, then.
Task<Response> begun(Context& context, const Request& request, FunctionId id) {
  if (!is_true(request.headers.get("X-Nuclio-Wait-Function-Action"))) co_return Response::empty(202);
  auto outcome = co_await context.platform.settled(std::move(id), Deadline::in(kWaitLimit));
  if (outcome) co_return Response::empty(202);
  // Nothing was wrong with the request itself: the function failed.
  if (outcome.error().why != Why::not_found) outcome.error().why = Why::internal;
  co_return Response::error(outcome.error());
}

// The function in the body, with name and namespace, and with what headers say about it.
struct Given {
  json::object function;
  FunctionId id;
};
Result<Given> given_function(const Context& context, const Request& request, std::string_view name_in_path) {
  TRY(json::object function, body_object(request));
  TRY(json::object metadata, member_object(function, "metadata"));
  TRY(std::string name, name_of_both(member_text(metadata, "name"), name_in_path));
  std::string namespace_name = member_text(metadata, "namespace");
  if (namespace_name.empty()) namespace_name = namespace_of(context, request, kNamespaceHeader).value();
  metadata["name"] = name;
  metadata["namespace"] = namespace_name;
  if (auto project = request.headers.get("X-Nuclio-Project-Name"); !project.empty()) {
    TRY(json::object labels, member_object(metadata, "labels"));
    labels[spec::kProjectLabel] = json::string_view(project.data(), project.size());
    metadata["labels"] = std::move(labels);
  }
  function["metadata"] = std::move(metadata);
  function.erase("status");  // what the platform knows is not for others to say
  return Given{std::move(function), {Namespace{namespace_name}, FunctionName{name}}};
}

Task<Response> deploy(Context& context, const Request& request, std::string_view name_in_path, platform::Deploy mode) {
  auto given = given_function(context, request, name_in_path);
  if (!given) co_return Response::error(given.error());
  json::value function(std::move(given->function));
  auto accepted = co_await context.platform.deploy(std::move(function), mode);
  if (!accepted) co_return Response::error(accepted.error());
  co_return co_await begun(context, request, std::move(given->id));
}

// Adds to functions of a namespace the names of the gateways that lead to them, when the request asks for these.
Task<Result<void>> add_gateways(Context& context, const Request& request,
                                std::vector<spec::FunctionConfig>& functions) {
  if (!is_true(request.headers.get("X-Nuclio-Function-Enrich-Apigateways")) || functions.empty())
    co_return Result<void>{};
  Namespace namespace_name = namespace_of(context, request, kNamespaceHeader);
  platform::GatewaysOf all;
  CO_TRY(const auto gateways, co_await context.platform.api_gateways(std::move(namespace_name), std::move(all)));
  std::map<std::string, std::set<std::string>> of_function;
  for (const spec::ApiGateway& gateway : gateways)
    for (const spec::Upstream& upstream : gateway.spec.upstreams)
      of_function[upstream.function.name].insert(gateway.metadata.name);
  for (spec::FunctionConfig& config : functions) {
    const auto& names = of_function[config.metadata.name];
    config.status.api_gateways = {names.begin(), names.end()};
  }
  co_return Result<void>{};
}

}  // namespace

json::value shown(const spec::FunctionConfig& config) {
  return with_all_parts(spec::to_json(config, spec::Secrets::shown));
}

json::value exported_for(const Request& request, const spec::FunctionConfig& config) {
  bool keep = http::query_param(request.query, "scrub") == "false";
  // The header's name says the opposite of what it does; Nuclio's clients know it so.
  bool cleanup = request.headers.has("X-Nuclio-Skip-Spec-Cleanup");
  return spec::to_json(spec::exported(config, keep ? spec::KeepSecrets::yes : spec::KeepSecrets::no,
                                      cleanup ? spec::Cleanup::yes : spec::Cleanup::no),
                       spec::Secrets::shown);
}

Task<Response> get_functions(Context& context, Request& request, const PathParams&) {
  std::optional<ProjectName> project;
  std::string_view named = request.headers.get("X-Nuclio-Project-Name");
  if (!named.empty() && named != "*") project.emplace(std::string(named));
  auto functions = co_await context.platform.functions(namespace_of(context, request, kNamespaceHeader), project);
  if (!functions) co_return Response::error(functions.error());
  auto added = co_await add_gateways(context, request, *functions);
  if (!added) co_return Response::error(added.error());
  bool imported_only = is_true(request.headers.get("X-Nuclio-Imported-Function-Only"));
  json::object out;
  for (const auto& config : *functions) {
    if (imported_only && config.status.state != spec::FunctionState::imported) continue;
    out[config.metadata.name] = wants_export(request) ? exported_for(request, config) : shown(config);
  }
  co_return json_response(200, std::move(out));
}

Task<Response> get_function(Context& context, Request& request, const PathParams& params) {
  auto config = co_await context.platform.function(id_in_path(context, request, params));
  if (!config) co_return Response::error(config.error());
  std::vector one{std::move(*config)};
  auto added = co_await add_gateways(context, request, one);
  if (!added) co_return Response::error(added.error());
  config = std::move(one.front());
  co_return json_response(200, wants_export(request) ? exported_for(request, *config) : shown(*config));
}

Task<Response> post_function(Context& context, Request& request, const PathParams&) {
  return deploy(context, request, "", platform::Deploy::only_new);
}

Task<Response> put_function(Context& context, Request& request, const PathParams& params) {
  return deploy(context, request, params.get("id"), platform::Deploy::new_or_existing);
}

Task<Response> patch_function(Context& context, Request& request, const PathParams& params) {
  auto body = body_object(request);
  if (!body) co_return Response::error(body.error());
  std::string wanted = member_text(*body, "desiredState");
  if (wanted != "ready" && wanted != "scaledToZero") {
    Error error{Why::invalid, "desiredState must be \"ready\" or \"scaledToZero\", is \"" + wanted + "\""};
    co_return Response::error(error);
  }
  auto state = wanted == "ready" ? platform::DesiredState::ready : platform::DesiredState::scaled_to_zero;
  FunctionId id = id_in_path(context, request, params);
  auto accepted = co_await context.platform.set_desired_state(id, state);
  if (!accepted) co_return Response::error(accepted.error());
  co_return co_await begun(context, request, std::move(id));
}

Task<Response> delete_function(Context& context, Request& request, const PathParams&) {
  auto given = given_function(context, request, "");
  if (!given) co_return Response::error(given.error());
  auto valid = parse_function_name(given->id.name.value());
  if (!valid) co_return Response::error(valid.error());
  platform::ResourceVersion version{member_text(given->function["metadata"].get_object(), "resourceVersion")};
  bool force = is_true(request.headers.get("X-Nuclio-Delete-Function-Ignore-State-Validation"));
  bool with_gateways = is_true(request.headers.get("X-Nuclio-Delete-Function-With-API-Gateways"));
  auto deleted = co_await context.platform.delete_function(
      given->id, std::move(version), force ? Force::yes : Force::no,
      with_gateways ? platform::WithGateways::yes : platform::WithGateways::no);
  if (!deleted && deleted.error().why != Why::not_found) co_return Response::error(deleted.error());
  co_return Response::empty(204);
}

}  // namespace nuclio::dashboard
