// SPDX-License-Identifier: Apache-2.0
// What every platform demands before it changes something, in the same words.
#pragma once
#include <string>

#include "base/result.h"
#include "platform/platform.h"
#include "spec/api_gateway.h"
#include "spec/function.h"
#include "spec/function_event.h"
#include "spec/platform_config.h"
#include "spec/project.h"

namespace nuclio::platform {

// For messages: function "hello".
std::string quoted(const std::string& kind, const std::string& name);

// What somebody gave is taken, and does not mean what they think: fields that nobody knows, or that nothing acts on.
void log_warnings(const std::string& what, const std::vector<schema::Problem>& warnings);

// The function that metadata names. Why::invalid for a name that cannot be, Why::precondition for a reserved one.
Result<FunctionId> checked_id(const spec::Metadata& metadata);
FunctionId id_of(const spec::FunctionConfig& config);
ProjectId id_of(const spec::Project& project);
FunctionEventId id_of(const spec::FunctionEvent& event);
ApiGatewayId id_of(const spec::ApiGateway& gateway);
// The function that an event's label names. Why::invalid when it names none.
Result<FunctionName> function_of(const spec::FunctionEvent& event);
// The project that a function or gateway says it belongs to.
ProjectName project_of(const spec::FunctionConfig& config);
ProjectName project_of(const spec::ApiGateway& gateway);

// Whether a gateway is one of those.
bool is_of(const spec::ApiGateway& gateway, const GatewaysOf& which);

// Why::precondition while gateways lead to the function.
Result<void> may_delete(const FunctionId& id, const std::vector<spec::ApiGateway>& gateways);
// Why::precondition when another gateway or a function answers under the same host and path, or when a function that it
// leads to is not there and is to be. `gateways` and `functions` are all of its namespace.
Result<void> may_serve(const spec::ApiGateway& gateway, const std::vector<spec::ApiGateway>& gateways,
                       const std::vector<spec::FunctionConfig>& functions, CheckFunctions check);

// Whether the annotations skip-build and skip-deploy ask that nothing be done yet.
bool is_import(const spec::Metadata& metadata);

// Why::conflict when the change was made from another version than there is; Why::precondition while something is being
// done to the function. `existing` with its resource version and state.
Result<void> may_change(const spec::FunctionConfig& existing, const std::string& made_from);
// Why::precondition, unless minReplicas allows none.
Result<void> may_scale_to_zero(const spec::FunctionConfig& existing);
// Why::invalid for a priorityClassName that the platform does not have in its list, if it has one.
Result<void> may_have_priority(const spec::FunctionConfig& config, const spec::PlatformConfig& platform);
// Why::precondition for the default project.
Result<void> may_delete(const ProjectId& project);

Error missing_function(const FunctionId& id);
Error existing_function(const FunctionId& id);
Error missing_revision(const FunctionId& id, Revision number);
Error missing_project(const ProjectId& id);
Error existing_project(const ProjectId& id);
Error missing_function_event(const FunctionEventId& id);
Error existing_function_event(const FunctionEventId& id);
Error missing_api_gateway(const ApiGatewayId& id);
Error existing_api_gateway(const ApiGatewayId& id);
// Of a function whose project is not there.
Error without_project(const spec::FunctionConfig& config);
// Of a project that holds functions or gateways: how many, and one of them.
Error project_in_use(const ProjectId& id, std::size_t functions, const FunctionId& one);
Error project_in_use(const ProjectId& id, const std::vector<spec::ApiGateway>& gateways);
Error never_built(const FunctionId& id);
Error still_deploying(const FunctionId& id);

}  // namespace nuclio::platform
