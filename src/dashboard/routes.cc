// SPDX-License-Identifier: Apache-2.0
#include "dashboard/routes.h"

#include <fmt/format.h>

#include "base/version.h"
#include "dashboard/api/calls.h"

namespace nuclio::dashboard {
namespace {

using Call = Task<Response> (*)(Context&, Request&, const PathParams&);

struct Line {
  std::string_view method;
  std::string_view pattern;
  Call call;
  std::string_view doc;
};

// The table itself, for whoever looks here with a browser or curl.
Task<Response> list_calls(Context& context, Request& request, const PathParams& params);

constexpr Line kLines[] = {
    {"GET", "/", list_calls, "This list."},
    {"GET", "/api", list_calls, "This list."},
    {"GET", "/api/functions", get_functions, "All functions by name, of a namespace and maybe a project."},
    {"GET", "/api/functions/{id}", get_function, "One function with its status."},
    {"POST", "/api/functions", post_function, "Builds and runs a new function."},
    {"PUT", "/api/functions/{id}", put_function, "Builds and runs a function, new or in place of what it was."},
    {"PATCH", "/api/functions/{id}", patch_function, "Starts or stops a function: desiredState ready or scaledToZero."},
    {"DELETE", "/api/functions", delete_function, "Ends a function and forgets it."},
    {"GET", "/api/functions/{id}/replicas", get_replicas, "The names of a function's replicas."},
    {"GET", "/api/functions/{id}/logs/{replica}", get_logs, "What a replica logged: follow, since, tailLines."},
    {"*", "/api/function_invocations", invoke_function, "Invokes the function that X-Nuclio-Function-Name names."},
    {"*", "/api/function_invocations/{rest...}", invoke_function_at_path, "The same at a path of the function."},
    {"GET", "/api/projects", get_projects, "All projects of a namespace by name."},
    {"GET", "/api/projects/{id}", get_project, "One project; with export=true all that is in it."},
    {"POST", "/api/projects", post_project, "Makes a project; with import=true from an export."},
    {"PUT", "/api/projects/{id}", put_project, "Changes a project."},
    {"PUT", "/api/projects", put_project_deprecated, "Changes the project that the body names."},
    {"DELETE", "/api/projects", delete_project,
     "Forgets a project: restricted, cascading, or check whether it could be."},
    {"GET", "/api/versions", get_versions, "The version that runs."},
    {"GET", "/api/namespaces", get_namespaces, "The namespaces that are served."},
    {"GET", "/api/external_ip_addresses", get_external_ip_addresses, "Addresses where functions can be reached."},
    {"GET", "/api/frontend_spec", get_frontend_spec, "What a user interface needs to know of the platform."},
};

Task<Response> list_calls(Context&, Request&, const PathParams&) {
  std::string text = fmt::format("Nuclio dashboard {}, REST API\n\n", kVersion);
  for (const Line& line : kLines) text += fmt::format("{:7} {:40} {}\n", line.method, line.pattern, line.doc);
  co_return Response::text(200, std::move(text));
}

}  // namespace

std::vector<http::Route> api_routes(Context& context) {
  std::vector<http::Route> routes;
  routes.reserve(std::size(kLines));
  for (const Line& line : kLines) {
    auto function = [&context, call = line.call](Request& request, const PathParams& params) {
      return call(context, request, params);
    };
    routes.push_back({line.method, line.pattern, function, line.doc});
  }
  return routes;
}

}  // namespace nuclio::dashboard
