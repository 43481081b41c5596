// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dashboard/auth/authorizer.h"
#include "dashboard/auth/caller.h"
#include "dashboard/auth/sight.h"
#include "platform/platform.h"

namespace nuclio::dashboard {

// The platform as one caller may use it: every call of it asks the authorizer first, so that whoever writes a call of
// the REST API cannot forget to. What may not be is Why::forbidden; what is only read in lists is left out of them.
// Who may read a function and not change it does not see its passwords and keys. When the authorizer cannot be asked,
// the error is its own and nothing is done. Otherwise the calls are those of platform::Platform, and so are their
// errors. For one request; all that it is given outlives it.
class AuthorizedPlatform {
 public:
  AuthorizedPlatform(platform::Platform& platform, Authorizer& authorizer, const Caller& caller)
      : platform_(platform), authorizer_(authorizer), caller_(caller) {}

  std::string_view kind() const { return platform_.kind(); }
  std::vector<Namespace> namespaces() const { return platform_.namespaces(); }

  Task<Result<std::vector<spec::FunctionConfig>>> functions(Namespace name_space, std::optional<ProjectName> project);
  Task<Result<spec::FunctionConfig>> function(platform::FunctionId id);
  struct ToInvoke {
    spec::FunctionConfig function;
    std::optional<std::string> replica;  // as platform::Platform::replica_to_invoke() gives it
  };
  // For who wants to invoke it.
  Task<Result<ToInvoke>> function_to_invoke(platform::FunctionId id);
  // Notes in the function who deploys it. Also needs the right to create in the project that `given` names, when it is
  // another than the function's.
  Task<Result<void>> deploy(boost::json::value given, platform::Deploy mode);
  Task<Result<void>> set_desired_state(platform::FunctionId id, platform::DesiredState state);
  Task<Result<void>> settled(platform::FunctionId id, Deadline deadline);
  // Also needs the right to delete the gateways that go with it.
  Task<Result<void>> delete_function(platform::FunctionId id, platform::ResourceVersion version, Force force,
                                     platform::WithGateways gateways);

  Task<Result<std::vector<platform::ReplicaName>>> replicas(platform::FunctionId id);
  Task<Result<std::unique_ptr<http::BodySource>>> logs(platform::FunctionId id, platform::ReplicaName replica,
                                                       platform::LogRequest request);

  Task<Result<std::vector<platform::RevisionSummary>>> revisions(platform::FunctionId id);
  Task<Result<spec::FunctionConfig>> revision(platform::FunctionId id, platform::Revision number);

  Task<Result<std::vector<spec::Project>>> projects(Namespace name_space);
  Task<Result<spec::Project>> project(platform::ProjectId id);
  Task<Result<void>> create_project(spec::Project project);
  Task<Result<void>> update_project(spec::Project project);
  Task<Result<void>> delete_project(platform::ProjectId id, platform::ProjectDeletion deletion);

  // An event belongs to the project of its function.
  Task<Result<std::vector<spec::FunctionEvent>>> function_events(Namespace name_space,
                                                                 std::optional<FunctionName> function);
  Task<Result<spec::FunctionEvent>> function_event(platform::FunctionEventId id);
  Task<Result<void>> create_function_event(spec::FunctionEvent event);
  Task<Result<void>> update_function_event(spec::FunctionEvent event);
  Task<Result<void>> delete_function_event(platform::FunctionEventId id);

  // Who leads requests to a function must be allowed to invoke it.
  Task<Result<std::vector<spec::ApiGateway>>> api_gateways(Namespace name_space, platform::GatewaysOf which);
  Task<Result<spec::ApiGateway>> api_gateway(platform::ApiGatewayId id);
  Task<Result<spec::ApiGateway>> create_api_gateway(spec::ApiGateway gateway, platform::CheckFunctions check);
  Task<Result<spec::ApiGateway>> update_api_gateway(spec::ApiGateway gateway, platform::CheckFunctions check);
  Task<Result<void>> delete_api_gateway(platform::ApiGatewayId id);

  // For what is no call of the platform. Why::forbidden when it may not be.
  Task<Result<void>> demand(Action action, Resource resource);
  // One answer for each.
  Task<Result<std::vector<bool>>> allows(Action action, std::vector<Resource> resources);

  // The same rights for what goes on when the request has been answered.
  Sight sight() const { return {authorizer_, caller_}; }

  // What was asked for and is no reading, in words, for the audit log: "update function \"hello\" of project \"x\"".
  const std::string& attempted() const { return attempted_; }

 private:
  Task<Result<spec::FunctionConfig>> demand_of_function(platform::FunctionId id, Action action);
  // With their secrets for those alone who may change them.
  Task<Result<std::vector<spec::FunctionConfig>>> as_seen(std::vector<spec::FunctionConfig> functions);
  void note_deployer(boost::json::value& given) const;
  Resource resource_of(const spec::FunctionConfig& config) const;
  Resource resource_of(const spec::FunctionEvent& event) const;
  Resource resource_of(const spec::ApiGateway& gateway) const;
  Task<Result<void>> demand_of_upstreams(spec::ApiGateway gateway);
  template <class T>
  Task<Result<std::vector<T>>> readable(std::vector<T> all);

  platform::Platform& platform_;
  Authorizer& authorizer_;
  const Caller& caller_;
  std::string attempted_;
};

}  // namespace nuclio::dashboard
