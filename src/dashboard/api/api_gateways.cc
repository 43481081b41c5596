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
using platform::ApiGatewayId;
using platform::ApiGatewayName;
using platform::CheckFunctions;

constexpr std::string_view kNamespaceHeader = "X-Nuclio-Api-Gateway-Namespace";

// The gateway in the body, with name and namespace, and with what headers say about it.
Result<spec::ApiGateway> gateway_in_body(const Context& context, const Request& request,
                                         std::string_view name_in_path) {
  TRY(json::object body, body_object(request));
  TRY(auto loaded, spec::read_api_gateway(json::value(std::move(body)), spec::Unknown::warning));
  platform::log_warnings("API gateway", loaded.warnings);
  spec::Metadata& metadata = loaded.config.metadata;
  TRY(metadata.name, name_of_both(metadata.name, name_in_path));
  TRY_DO(check_label("metadata.name", metadata.name));
  if (metadata.namespace_name.empty())
    metadata.namespace_name = namespace_of(context, request, kNamespaceHeader).value();
  TRY_DO(parse_namespace(metadata.namespace_name));
  if (const auto project = request.headers.get("X-Nuclio-Project-Name"); !project.empty())
    metadata.labels[std::string(spec::kProjectLabel)] = project;
  return std::move(loaded.config);
}

CheckFunctions check_of(const Request& request) {
  return is_true(request.headers.get("X-Nuclio-Agw-Validate-Functions-Existence")) ? CheckFunctions::yes
                                                                                   : CheckFunctions::no;
}

json::value shown_for(const Request& request, const spec::ApiGateway& gateway) {
  return wants_export(request) ? exported_gateway(gateway) : shown(gateway);
}

Task<Response> update(Context& context, const Request& request, std::string_view name_in_path) {
  auto gateway = gateway_in_body(context, request, name_in_path);
  if (!gateway) co_return Response::error(gateway.error());
  auto updated = co_await context.platform.update_api_gateway(std::move(*gateway), check_of(request));
  if (!updated) co_return Response::error(updated.error());
  co_return Response::empty(204);
}

}  // namespace

json::value shown(const spec::ApiGateway& gateway) {
  return with_all_parts(spec::to_json(gateway, spec::Secrets::shown));
}

json::value exported_gateway(const spec::ApiGateway& gateway) {
  return spec::to_json(spec::exported(gateway), spec::Secrets::shown);
}

Task<Response> get_api_gateways(Context& context, Request& request, const PathParams&) {
  platform::GatewaysOf which;
  const std::string_view project = request.headers.get("X-Nuclio-Project-Name");
  if (!project.empty() && project != "*") which.project.emplace(std::string(project));
  const std::string_view function = request.headers.get("X-Nuclio-Function-Name");
  if (!function.empty()) which.function.emplace(std::string(function));
  Namespace namespace_name = namespace_of(context, request, kNamespaceHeader);
  auto gateways = co_await context.platform.api_gateways(std::move(namespace_name), std::move(which));
  if (!gateways) co_return Response::error(gateways.error());
  json::object out;
  for (const spec::ApiGateway& gateway : *gateways) out[gateway.metadata.name] = shown_for(request, gateway);
  co_return json_response(200, std::move(out));
}

Task<Response> get_api_gateway(Context& context, Request& request, const PathParams& params) {
  ApiGatewayId id{namespace_of(context, request, kNamespaceHeader), params.as<ApiGatewayName>("id")};
  auto gateway = co_await context.platform.api_gateway(std::move(id));
  if (!gateway) co_return Response::error(gateway.error());
  co_return json_response(200, shown_for(request, *gateway));
}

Task<Response> post_api_gateway(Context& context, Request& request, const PathParams&) {
  auto gateway = gateway_in_body(context, request, "");
  if (!gateway) co_return Response::error(gateway.error());
  auto created = co_await context.platform.create_api_gateway(std::move(*gateway), check_of(request));
  if (!created) co_return Response::error(created.error());
  co_return json_response(201, shown(*created));
}

Task<Response> put_api_gateway(Context& context, Request& request, const PathParams& params) {
  return update(context, request, params.get("id"));
}

Task<Response> put_api_gateway_deprecated(Context& context, Request& request, const PathParams&) {
  Response response = co_await update(context, request, "");
  response.headers.set("Deprecation", "true");
  co_return response;
}

Task<Response> delete_api_gateway(Context& context, Request& request, const PathParams&) {
  auto gateway = gateway_in_body(context, request, "");
  if (!gateway) co_return Response::error(gateway.error());
  auto deleted = co_await context.platform.delete_api_gateway(platform::id_of(*gateway));
  if (!deleted) co_return Response::error(deleted.error());
  co_return Response::empty(204);
}

}  // namespace nuclio::dashboard
