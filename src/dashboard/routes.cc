// SPDX-License-Identifier: Apache-2.0
#include "dashboard/routes.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "base/version.h"
#include "dashboard/api/calls.h"
#include "dashboard/openapi.h"

namespace nuclio::dashboard {
namespace {

// The table itself, for whoever looks here with a browser or curl.
Task<Response> list_calls(Context& context, Request& request, const PathParams& params);

// How the API is described to programs.
Task<Response> get_openapi(Context& context, Request& request, const PathParams& params);

constexpr Line kLines[] = {
    {"GET", "/api", list_calls, "This list.", {.answer = "text"}, Asks::nobody},
    {"GET", "/api/openapi.json", get_openapi, "This API as OpenAPI 3.1.", {.answer = "Object"}, Asks::nobody},
    {"GET",
     "/api/functions",
     get_functions,
     "All functions by name, of a namespace and maybe a project.",
     {.takes = "Function-Namespace Project-Name Imported-Function-Only Function-Enrich-Apigateways Skip-Spec-Cleanup "
               "?export ?scrub",
      .answer = "Functions",
      .fails = "400 404"}},
    {"GET",
     "/api/functions/{id}",
     get_function,
     "One function with its status.",
     {.takes = "Function-Namespace Function-Enrich-Apigateways Skip-Spec-Cleanup ?export ?scrub",
      .answer = "Function",
      .fails = "400 404"}},
    {"POST",
     "/api/functions",
     post_function,
     "Builds and runs a new function.",
     {.takes = "Function-Namespace Project-Name Wait-Function-Action",
      .body = "Function",
      .status = 202,
      .fails = "400 404 409 412"}},
    {"PUT",
     "/api/functions/{id}",
     put_function,
     "Builds and runs a function, new or in place of what it was.",
     {.takes = "Function-Namespace Project-Name Wait-Function-Action",
      .body = "Function",
      .status = 202,
      .fails = "400 404 409 412"}},
    {"PATCH",
     "/api/functions/{id}",
     patch_function,
     "Starts or stops a function: desiredState ready or scaledToZero.",
     {.takes = "Function-Namespace Wait-Function-Action",
      .body = "DesiredState",
      .status = 202,
      .fails = "400 404 412"}},
    {"DELETE",
     "/api/functions",
     delete_function,
     "Ends the function that the body names and forgets it.",
     {.takes = "Function-Namespace Delete-Function-Ignore-State-Validation Delete-Function-With-API-Gateways",
      .body = "Named",
      .status = 204,
      .fails = "400 409 412"}},
    {"GET",
     "/api/functions/{id}/replicas",
     get_replicas,
     "The names of a function's replicas.",
     {.takes = "Function-Namespace", .answer = "Names", .fails = "400 404"}},
    {"GET",
     "/api/functions/{id}/logs/{replica}",
     get_logs,
     "What a replica logged.",
     {.takes = "Function-Namespace ?follow ?since ?tailLines", .answer = "text", .fails = "400 404"}},
    {"*",
     "/api/function_invocations",
     invoke_function,
     "Invokes the function that X-Nuclio-Function-Name names.",
     {.takes = "Function-Namespace Invoked-Function Path Invoke-Url Invoke-Timeout Skip-Tls-Verification Log-Level",
      .answer = "anything",
      .fails = "400 404 412"}},
    {"*",
     "/api/function_invocations/{rest...}",
     invoke_function_at_path,
     "The same at a path of the function.",
     {.takes = "Function-Namespace Invoked-Function Invoke-Url Invoke-Timeout Skip-Tls-Verification Log-Level",
      .answer = "anything",
      .fails = "400 404 412"}},
    {"GET",
     "/api/projects",
     get_projects,
     "All projects of a namespace by name.",
     {.takes = "Project-Namespace Skip-Spec-Cleanup ?export ?scrub", .answer = "Projects", .fails = "400 404"}},
    {"GET",
     "/api/projects/{id}",
     get_project,
     "One project; with export=true all that is in it.",
     {.takes = "Project-Namespace Skip-Spec-Cleanup ?export ?scrub", .answer = "ProjectOrExport", .fails = "400 404"}},
    {"POST",
     "/api/projects",
     post_project,
     "Makes a project; with import=true from an export.",
     {.takes = "Project-Namespace ?import",
      .body = "ProjectOrExport",
      .status = 201,
      .answer = "ProjectOrImported",
      .fails = "400 404 409"}},
    {"PUT",
     "/api/projects/{id}",
     put_project,
     "Changes a project.",
     {.takes = "Project-Namespace", .body = "Project", .status = 204, .fails = "400 404 409"}},
    {"PUT",
     "/api/projects",
     put_project_deprecated,
     "Changes the project that the body names.",
     {.takes = "Project-Namespace", .body = "Project", .status = 204, .fails = "400 404 409"}},
    {"DELETE",
     "/api/projects",
     delete_project,
     "Forgets the project that the body names: restricted, cascading, or check whether it could be.",
     {.takes = "Project-Namespace Delete-Project-Strategy", .body = "Project", .status = 204, .fails = "400 404 412"}},
    {"GET",
     "/api/function_events",
     get_function_events,
     "All saved events by name, of a namespace and maybe a function.",
     {.takes = "Function-Event-Namespace Function-Name", .answer = "FunctionEvents", .fails = "400 404"}},
    {"GET",
     "/api/function_events/{id}",
     get_function_event,
     "One saved event.",
     {.takes = "Function-Event-Namespace", .answer = "FunctionEvent", .fails = "400 404"}},
    {"POST",
     "/api/function_events",
     post_function_event,
     "Saves an event to invoke a function with; without a name it gets one.",
     {.takes = "Function-Event-Namespace",
      .body = "FunctionEvent",
      .status = 201,
      .answer = "FunctionEvent",
      .fails = "400 404 409"}},
    {"PUT",
     "/api/function_events",
     put_function_event,
     "Changes the saved event that the body names.",
     {.takes = "Function-Event-Namespace", .body = "FunctionEvent", .status = 204, .fails = "400 404 409"}},
    {"DELETE",
     "/api/function_events",
     delete_function_event,
     "Forgets the saved event that the body names.",
     {.takes = "Function-Event-Namespace", .body = "FunctionEvent", .status = 204, .fails = "400 404"}},
    {"GET",
     "/api/api_gateways",
     get_api_gateways,
     "All API gateways by name, of a namespace and maybe a project or function.",
     {.takes = "Api-Gateway-Namespace Project-Name Function-Name ?export",
      .answer = "ApiGateways",
      .fails = "400 404"}},
    {"GET",
     "/api/api_gateways/{id}",
     get_api_gateway,
     "One API gateway with its status.",
     {.takes = "Api-Gateway-Namespace ?export", .answer = "ApiGateway", .fails = "400 404"}},
    {"POST",
     "/api/api_gateways",
     post_api_gateway,
     "Makes an API gateway: a host name and path under which one or two functions answer.",
     {.takes = "Api-Gateway-Namespace Project-Name Agw-Validate-Functions-Existence",
      .body = "ApiGateway",
      .status = 201,
      .answer = "ApiGateway",
      .fails = "400 404 409 412"}},
    {"PUT",
     "/api/api_gateways/{id}",
     put_api_gateway,
     "Changes an API gateway.",
     {.takes = "Api-Gateway-Namespace Project-Name Agw-Validate-Functions-Existence",
      .body = "ApiGateway",
      .status = 204,
      .fails = "400 404 409 412"}},
    {"PUT",
     "/api/api_gateways",
     put_api_gateway_deprecated,
     "Changes the API gateway that the body names.",
     {.takes = "Api-Gateway-Namespace Project-Name Agw-Validate-Functions-Existence",
      .body = "ApiGateway",
      .status = 204,
      .fails = "400 404 409 412"}},
    {"DELETE",
     "/api/api_gateways",
     delete_api_gateway,
     "Forgets the API gateway that the body names.",
     {.takes = "Api-Gateway-Namespace", .body = "Named", .status = 204, .fails = "400 404"}},
    {"GET",
     "/api/v3io_streams",
     refuse_v3io_streams,
     "Says that v3io streams are not served.",
     {.status = 404, .answer = "Error"}},
    {"POST",
     "/api/v3io_streams/get_shard_lags",
     refuse_v3io_streams,
     "Says that v3io streams are not served.",
     {.status = 404, .answer = "Error"}},
    {"GET",
     "/api/function_templates",
     get_function_templates,
     "Functions to begin with, by name.",
     {.takes = "Filter-Contains", .answer = "FunctionTemplates"}},
    {"POST",
     "/api/function_templates/render",
     render_function_template,
     "The function that a template is with some values.",
     {.body = "Rendering", .answer = "Function", .fails = "400 413"}},
    {"GET", "/api/versions", get_versions, "The version that runs.", {.answer = "Versions"}, Asks::nobody},
    {"GET", "/api/namespaces", get_namespaces, "The namespaces that are served.", {.answer = "Namespaces"}},
    {"GET",
     "/api/external_ip_addresses",
     get_external_ip_addresses,
     "Addresses where functions can be reached.",
     {.answer = "Addresses"}},
    {"GET",
     "/api/frontend_spec",
     get_frontend_spec,
     "What a user interface needs to know of the platform.",
     {.answer = "Object"}},
    {"GET",
     "/api/v2/session",
     get_session,
     "Who the caller is, and how one logs in here.",
     {.answer = "Session"},
     Asks::nobody},
    {"POST",
     "/api/v2/session",
     post_session,
     "Logs a browser in: the answer has its cookie.",
     {.body = "Login", .status = 201, .answer = "Session", .fails = "400 401 412 429"},
     Asks::nobody},
    {"DELETE", "/api/v2/session", delete_session, "Logs a browser out.", {.status = 204}},
    {"GET",
     "/api/v2/login/oidc",
     begin_oidc_login,
     "Sends a browser to the OpenID provider to log in.",
     {.status = 302, .fails = "404"},
     Asks::nobody},
    {"GET",
     "/api/v2/login/oidc/callback",
     end_oidc_login,
     "Where the provider sends it back to.",
     {.takes = "?code ?state ?error", .answer = "text", .fails = "403 404"},
     Asks::nobody},
    {"GET", "/api/v2/tokens", get_tokens, "The caller's API tokens; an admin's are all.", {.answer = "Tokens"}},
    {"POST",
     "/api/v2/tokens",
     post_token,
     "Makes an API token for the caller; its text is told this once.",
     {.body = "NewToken", .status = 201, .answer = "Token", .fails = "400 403 412 413"}},
    {"DELETE", "/api/v2/tokens/{id}", delete_token, "Revokes an API token.", {.status = 204, .fails = "404"}},
    {"GET",
     "/api/v2/events",
     get_events,
     "A stream of what becomes of functions and projects, their builds, logs and metrics.",
     {.takes = "?namespace ?project ?logs ?metrics", .answer = "event-stream", .fails = "400 404"}},
    {"GET",
     "/api/v2/functions/{id}/revisions",
     get_revisions,
     "The last deploys of a function, newest first.",
     {.takes = "Function-Namespace", .answer = "Revisions", .fails = "400 404"}},
    {"GET",
     "/api/v2/functions/{id}/revisions/{number}",
     get_revision,
     "What a function was asked to be then; PUT goes back to it.",
     {.takes = "Function-Namespace", .answer = "Function", .fails = "400 404"}},
    {"GET",
     "/api/v2/functions/{id}/metrics",
     get_metrics,
     "How a function has fared lately, step by step.",
     {.takes = "Function-Namespace ?past ?step", .answer = "MetricsHistory", .fails = "400 404"}},
    {"GET",
     "/api/v2/functions/{id}/metrics/triggers",
     get_trigger_metrics,
     "How each of a function's triggers fares at the moment.",
     {.takes = "Function-Namespace", .answer = "TriggerMetrics", .fails = "400 404"}},
};

Task<Response> list_calls(Context&, Request&, const PathParams&) {
  std::string text = fmt::format("Nuclio dashboard {}, REST API\n\n", kVersion);
  for (const Line& line : kLines) text += fmt::format("{:7} {:40} {}\n", line.method, line.pattern, line.doc);
  co_return Response::text(200, std::move(text));
}

Task<Response> get_openapi(Context&, Request&, const PathParams&) {
  static const std::string text = boost::json::serialize(openapi(kLines));
  co_return Response::json(200, text);
}

// Somebody of whom nobody knows who they are, and who therefore may nothing of the platform.
Caller nobody() { return {.name = "nobody", .by_grants_alone = true}; }

// The one way to a call: who asks, what they may, what became of it.
Task<Response> answer(Served& served, const Line& line, Request& request, const PathParams& params) {
  Caller caller = nobody();
  if (line.asks == Asks::who) {
    Identified identified = co_await served.authenticator.identify(request);
    if (!identified) co_return std::move(identified.error());
    caller = std::move(*identified);
  }
  Context context{.platform = {served.platform, served.authorizer, caller},
                  .caller = caller,
                  .client = served.client,
                  .config = served.config,
                  .namespace_name = served.namespace_name,
                  .external_addresses = served.external_addresses,
                  .authenticator = served.authenticator,
                  .oidc = served.oidc,
                  .templates = served.templates,
                  .events = served.events,
                  .metrics = served.metrics,
                  .registries = served.registries};
  Response response = co_await line.call(context, request, params);
  if (request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS") co_return response;
  std::string what = context.platform.attempted();
  if (what.empty()) what = line.doc;
  const auto taken = std::chrono::steady_clock::now() - request.received;
  served.audit_log.write(request, {.caller = caller.name,
                                   .credential = caller.credential,
                                   .token_id = caller.token_id,
                                   .what = what,
                                   .status = response.status,
                                   .taken = std::chrono::duration_cast<std::chrono::milliseconds>(taken)});
  co_return response;
}

}  // namespace

std::span<const Line> api_lines() { return kLines; }

std::vector<http::Route> api_routes(Served& served) {
  std::vector<http::Route> routes;
  routes.reserve(std::size(kLines));
  for (const Line& line : kLines) {
    auto function = [&served, &line](Request& request, const PathParams& params) {
      return answer(served, line, request, params);
    };
    routes.push_back({line.method, line.pattern, function, line.doc});
  }
  return routes;
}

}  // namespace nuclio::dashboard
