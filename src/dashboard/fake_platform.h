// SPDX-License-Identifier: Apache-2.0
// A platform that remembers what it was asked, for tests of the calls that ask.
#pragma once
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <utility>

#include "platform/demands.h"
#include "platform/platform.h"
#include "spec/load.h"

namespace nuclio::dashboard {

// A body of some pieces.
class Pieces final : public http::BodySource {
 public:
  explicit Pieces(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  Task<Result<std::optional<std::string>>> next() override {
    if (at_ == pieces_.size()) co_return std::optional<std::string>{};
    co_return std::optional{pieces_[at_++]};
  }

 private:
  std::vector<std::string> pieces_;
  std::size_t at_ = 0;
};

class FakePlatform final : public platform::Platform {
 public:
  std::map<std::string, spec::FunctionConfig> known;
  std::map<std::string, spec::Project> known_projects;
  std::map<std::string, spec::FunctionEvent> known_events;
  std::map<std::string, spec::ApiGateway> known_gateways;
  std::vector<platform::RevisionSummary> known_revisions;
  std::vector<platform::MetricsAddress> addresses;
  std::optional<std::string> replica;  // where any function is to be invoked
  platform::Observer* observer = nullptr;
  std::vector<std::string> deployed;  // each deploy that was asked for, in words
  std::string asked;                  // the last change, in words
  Result<void> answer;                // to changes
  Result<void> settled_with;          // what settled() says

  std::string_view kind() const override { return "local"; }
  std::vector<Namespace> namespaces() const override { return {Namespace{"nuclio"}}; }
  Result<std::vector<spec::FunctionConfig>> functions(const Namespace& namespace_name,
                                                      const std::optional<ProjectName>& project) override {
    asked = "list " + namespace_name.value() + (project ? " of " + project->value() : "");
    std::vector<spec::FunctionConfig> out;
    for (const auto& [name, config] : known) out.push_back(config);
    return out;
  }
  Result<spec::FunctionConfig> function(const platform::FunctionId& id) override {
    auto found = known.find(id.name.value());
    if (found == known.end()) return fail(Why::not_found, "function \"" + id.name.value() + "\" does not exist");
    return found->second;
  }
  Task<Result<void>> deploy(boost::json::value given, platform::Deploy mode) override {
    asked = (mode == platform::Deploy::only_new ? "create " : "put ") + boost::json::serialize(given);
    deployed.push_back(asked);
    co_return answer;
  }
  Task<Result<void>> set_desired_state(platform::FunctionId id, platform::DesiredState state) override {
    asked = (state == platform::DesiredState::ready ? "start " : "stop ") + id.name.value();
    co_return answer;
  }
  Task<Result<void>> settled(platform::FunctionId id, Deadline) override {
    asked += ", wait for " + id.name.value();
    co_return settled_with;
  }
  Task<Result<void>> delete_function(platform::FunctionId id, platform::ResourceVersion version, Force force,
                                     platform::WithGateways gateways) override {
    asked = "delete " + id.namespace_name.value() + "/" + id.name.value() + " " + version.value() +
            (force == Force::yes ? " by force" : "") +
            (gateways == platform::WithGateways::yes ? " with gateways" : "");
    co_return answer;
  }
  Result<std::vector<platform::ReplicaName>> replicas(const platform::FunctionId& id) override {
    return std::vector{platform::ReplicaName{id.name.value() + "-1"}};
  }
  Result<std::unique_ptr<http::BodySource>> logs(const platform::FunctionId&, const platform::ReplicaName& replica,
                                                 const platform::LogRequest& request) override {
    asked = "logs " + replica.value() + (request.follow ? " follow" : "") +
            (request.since ? " since " + std::to_string(request.since->count()) : "") +
            (request.tail_lines ? " tail " + std::to_string(*request.tail_lines) : "");
    if (!answer) return std::unexpected(answer.error());
    return std::make_unique<Pieces>(std::vector<std::string>{"one\n", "two\n"});
  }
  Task<Result<std::vector<platform::RevisionSummary>>> revisions(platform::FunctionId id) override {
    asked = "revisions of " + id.name.value();
    if (!answer) co_return std::unexpected(answer.error());
    co_return known_revisions;
  }
  Task<Result<spec::FunctionConfig>> revision(platform::FunctionId id, platform::Revision number) override {
    asked = "revision " + std::to_string(number.value()) + " of " + id.name.value();
    if (!answer) co_return std::unexpected(answer.error());
    co_return function(id);
  }
  std::vector<platform::MetricsAddress> metrics_addresses() override { return addresses; }
  std::optional<std::string> replica_to_invoke(const platform::FunctionId&) override { return replica; }
  void observe(platform::Observer* its_observer) override { observer = its_observer; }
  Result<std::vector<spec::Project>> projects(const Namespace&) override {
    std::vector<spec::Project> out;
    for (const auto& [name, project] : known_projects) out.push_back(project);
    return out;
  }
  Result<spec::Project> project(const platform::ProjectId& id) override {
    auto found = known_projects.find(id.name.value());
    if (found == known_projects.end())
      return fail(Why::not_found, "project \"" + id.name.value() + "\" does not exist");
    return found->second;
  }
  Task<Result<void>> create_project(spec::Project project) override {
    asked = "create project " + project.metadata.namespace_name + "/" + project.metadata.name;
    co_return answer;
  }
  Task<Result<void>> update_project(spec::Project project) override {
    asked = "update project " + project.metadata.name + " " + project.spec.description;
    co_return answer;
  }
  Task<Result<void>> delete_project(platform::ProjectId id, platform::ProjectDeletion deletion) override {
    constexpr const char* kHow[] = {"restricted", "cascading", "check"};
    asked = "delete project " + id.name.value() + " " + kHow[static_cast<int>(deletion)];
    co_return answer;
  }
  Task<Result<std::vector<spec::FunctionEvent>>> function_events(Namespace namespace_name,
                                                                 std::optional<FunctionName> function) override {
    asked = "list events " + namespace_name.value() + (function ? " of " + function->value() : "");
    std::vector<spec::FunctionEvent> out;
    for (const auto& [name, event] : known_events) out.push_back(event);
    co_return out;
  }
  Task<Result<spec::FunctionEvent>> function_event(platform::FunctionEventId id) override {
    asked = "event " + id.namespace_name.value() + "/" + id.name.value();
    auto found = known_events.find(id.name.value());
    if (found == known_events.end()) co_return fail(platform::missing_function_event(id));
    co_return found->second;
  }
  Task<Result<void>> create_function_event(spec::FunctionEvent event) override {
    asked = "create event " + boost::json::serialize(spec::to_json(event));
    co_return answer;
  }
  Task<Result<void>> update_function_event(spec::FunctionEvent event) override {
    asked = "update event " + boost::json::serialize(spec::to_json(event));
    co_return answer;
  }
  Task<Result<void>> delete_function_event(platform::FunctionEventId id) override {
    asked = "delete event " + id.namespace_name.value() + "/" + id.name.value();
    co_return answer;
  }
  Task<Result<std::vector<spec::ApiGateway>>> api_gateways(Namespace namespace_name,
                                                           platform::GatewaysOf which) override {
    asked = "list gateways " + namespace_name.value() + (which.project ? " of project " + which.project->value() : "") +
            (which.function ? " of " + which.function->value() : "");
    std::vector<spec::ApiGateway> out;
    for (const auto& [name, gateway] : known_gateways)
      if (platform::is_of(gateway, which)) out.push_back(gateway);
    co_return out;
  }
  Task<Result<spec::ApiGateway>> api_gateway(platform::ApiGatewayId id) override {
    asked = "gateway " + id.namespace_name.value() + "/" + id.name.value();
    auto found = known_gateways.find(id.name.value());
    if (found == known_gateways.end()) co_return fail(platform::missing_api_gateway(id));
    co_return found->second;
  }
  Task<Result<spec::ApiGateway>> create_api_gateway(spec::ApiGateway gateway, platform::CheckFunctions check) override {
    return kept("create", std::move(gateway), check);
  }
  Task<Result<spec::ApiGateway>> update_api_gateway(spec::ApiGateway gateway, platform::CheckFunctions check) override {
    return kept("update", std::move(gateway), check);
  }
  Task<Result<void>> delete_api_gateway(platform::ApiGatewayId id) override {
    asked = "delete gateway " + id.namespace_name.value() + "/" + id.name.value();
    co_return answer;
  }

 private:
  Task<Result<spec::ApiGateway>> kept(const char* how, spec::ApiGateway gateway, platform::CheckFunctions check) {
    asked = std::string(how) + " gateway " + boost::json::serialize(spec::to_json(gateway, spec::Secrets::shown)) +
            (check == platform::CheckFunctions::yes ? " checked" : "");
    if (!answer) co_return std::unexpected(answer.error());
    co_return gateway;
  }
};

}  // namespace nuclio::dashboard
