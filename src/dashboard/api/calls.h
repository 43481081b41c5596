// SPDX-License-Identifier: Apache-2.0
// The calls of the REST API, a file a resource; which request leads to which is the table in routes.cc. All arguments
// outlive the task.
#pragma once
#include <boost/json/fwd.hpp>

#include "dashboard/api/context.h"
#include "loop/task.h"

namespace nuclio::dashboard {

// functions.cc
Task<Response> get_functions(Context& context, Request& request, const PathParams& params);
Task<Response> get_function(Context& context, Request& request, const PathParams& params);
Task<Response> post_function(Context& context, Request& request, const PathParams& params);
Task<Response> put_function(Context& context, Request& request, const PathParams& params);
Task<Response> patch_function(Context& context, Request& request, const PathParams& params);
Task<Response> delete_function(Context& context, Request& request, const PathParams& params);
// A function as GET shows it or, for another platform to import, as `?export=true` asks for it.
boost::json::value shown(const spec::FunctionConfig& config);
boost::json::value exported_for(const Request& request, const spec::FunctionConfig& config);

// replicas.cc
Task<Response> get_replicas(Context& context, Request& request, const PathParams& params);
Task<Response> get_logs(Context& context, Request& request, const PathParams& params);

// function_invocations.cc
Task<Response> invoke_function(Context& context, Request& request, const PathParams& params);
Task<Response> invoke_function_at_path(Context& context, Request& request, const PathParams& params);

// projects.cc
Task<Response> get_projects(Context& context, Request& request, const PathParams& params);
Task<Response> get_project(Context& context, Request& request, const PathParams& params);
Task<Response> post_project(Context& context, Request& request, const PathParams& params);
Task<Response> put_project(Context& context, Request& request, const PathParams& params);
Task<Response> put_project_deprecated(Context& context, Request& request, const PathParams& params);
Task<Response> delete_project(Context& context, Request& request, const PathParams& params);

// function_events.cc
Task<Response> get_function_events(Context& context, Request& request, const PathParams& params);
Task<Response> get_function_event(Context& context, Request& request, const PathParams& params);
Task<Response> post_function_event(Context& context, Request& request, const PathParams& params);
Task<Response> put_function_event(Context& context, Request& request, const PathParams& params);
Task<Response> delete_function_event(Context& context, Request& request, const PathParams& params);
boost::json::value shown(const spec::FunctionEvent& event);

// api_gateways.cc
Task<Response> get_api_gateways(Context& context, Request& request, const PathParams& params);
Task<Response> get_api_gateway(Context& context, Request& request, const PathParams& params);
Task<Response> post_api_gateway(Context& context, Request& request, const PathParams& params);
Task<Response> put_api_gateway(Context& context, Request& request, const PathParams& params);
Task<Response> put_api_gateway_deprecated(Context& context, Request& request, const PathParams& params);
Task<Response> delete_api_gateway(Context& context, Request& request, const PathParams& params);
boost::json::value shown(const spec::ApiGateway& gateway);
boost::json::value exported_gateway(const spec::ApiGateway& gateway);

// v3io_streams.cc
Task<Response> refuse_v3io_streams(Context& context, Request& request, const PathParams& params);

// function_templates.cc
Task<Response> get_function_templates(Context& context, Request& request, const PathParams& params);
Task<Response> render_function_template(Context& context, Request& request, const PathParams& params);

// login.cc
Task<Response> get_session(Context& context, Request& request, const PathParams& params);
Task<Response> post_session(Context& context, Request& request, const PathParams& params);
Task<Response> delete_session(Context& context, Request& request, const PathParams& params);
Task<Response> begin_oidc_login(Context& context, Request& request, const PathParams& params);
Task<Response> end_oidc_login(Context& context, Request& request, const PathParams& params);
Task<Response> get_tokens(Context& context, Request& request, const PathParams& params);
Task<Response> post_token(Context& context, Request& request, const PathParams& params);
Task<Response> delete_token(Context& context, Request& request, const PathParams& params);

// events.cc
Task<Response> get_events(Context& context, Request& request, const PathParams& params);

// revisions.cc
Task<Response> get_revisions(Context& context, Request& request, const PathParams& params);
Task<Response> get_revision(Context& context, Request& request, const PathParams& params);

// metrics.cc
Task<Response> get_metrics(Context& context, Request& request, const PathParams& params);
Task<Response> get_trigger_metrics(Context& context, Request& request, const PathParams& params);

// about.cc
Task<Response> get_versions(Context& context, Request& request, const PathParams& params);
Task<Response> get_namespaces(Context& context, Request& request, const PathParams& params);
Task<Response> get_external_ip_addresses(Context& context, Request& request, const PathParams& params);
Task<Response> get_frontend_spec(Context& context, Request& request, const PathParams& params);

}  // namespace nuclio::dashboard
