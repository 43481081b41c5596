// SPDX-License-Identifier: Apache-2.0
// Where functions run. The dashboard speaks to this alone; process/ is the platform of a laptop.
#pragma once
#include <boost/json/fwd.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/named.h"
#include "base/result.h"
#include "http/message.h"
#include "loop/clock.h"
#include "loop/deadline.h"
#include "loop/task.h"
#include "spec/api_gateway.h"
#include "spec/function.h"
#include "spec/function_event.h"
#include "spec/project.h"

namespace nuclio::platform {

using ReplicaName = Named<struct ReplicaNameTag, std::string>;
using ApiGatewayName = Named<struct ApiGatewayNameTag, std::string>;
// The deploys of a function that were accepted, counted from 1; 0 for none.
using Revision = Named<struct RevisionTag, std::int64_t>;
using FunctionEventName = Named<struct FunctionEventNameTag, std::string>;
// The metadata.resourceVersion that a change was made from; "" for whatever there is.
using ResourceVersion = Named<struct ResourceVersionTag, std::string>;

struct FunctionId {
  Namespace namespace_name;
  FunctionName name;
  friend auto operator<=>(const FunctionId&, const FunctionId&) = default;
};

struct ProjectId {
  Namespace namespace_name;
  ProjectName name;
  friend auto operator<=>(const ProjectId&, const ProjectId&) = default;
};

struct FunctionEventId {
  Namespace namespace_name;
  FunctionEventName name;
  friend auto operator<=>(const FunctionEventId&, const FunctionEventId&) = default;
};

struct ApiGatewayId {
  Namespace namespace_name;
  ApiGatewayName name;
  friend auto operator<=>(const ApiGatewayId&, const ApiGatewayId&) = default;
};

// Which gateways are meant: those of a project, those that lead to a function; all when neither is named.
struct GatewaysOf {
  std::optional<ProjectName> project = {};
  std::optional<FunctionName> function = {};
};

enum class Deploy { only_new, new_or_existing };
enum class DesiredState { ready, scaled_to_zero };
// Whether the functions that a gateway leads to must be there already.
enum class CheckFunctions : bool { no, yes };
// Whether gateways that lead to a function go with it, or keep it from going.
enum class WithGateways : bool { no, yes };
enum class ProjectDeletion { restricted, cascading, check };

struct LogRequest {
  bool follow = false;  // goes on with what is logged from now on, until the replica ends
  std::optional<std::chrono::nanoseconds> since = {};  // only lines from the last so long
  std::optional<std::size_t> tail_lines = {};          // at most so many of the old lines
};

// Of a function: who deployed it last. It is the dashboard that says so, nobody else; absent when it knows no name.
inline constexpr std::string_view kDeployedBy = "nuclio.io/deployed-by";

enum class RevisionState {
  deploying,   // it is being built or started
  serving,     // also when the function is scaled to zero: it is what answers once it runs
  superseded,  // another one has taken its place
  failed,      // it never served
};

struct RevisionSummary {
  Revision number{0};
  std::optional<SystemTime> deployed = {};  // nothing when that is not known any more
  std::string deployed_by = {};             // "" when nobody knows
  RevisionState state = RevisionState::superseded;
};

// At least so many of a function are kept.
inline constexpr std::size_t kRevisionsKept = 10;

// Where the metrics of a replica that runs are read.
struct MetricsAddress {
  FunctionId function;
  ReplicaName replica;
  std::string address;  // "127.0.0.1:4242"
};

// Who wants to hear of changes. What changed is asked for afterwards: these are called from the middle of the change,
// often, and must do no more than note it.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void function_changed(const FunctionId& id) = 0;  // added, changed, gone; or its replicas
  virtual void project_changed(const ProjectId& id) = 0;
  // A line was added to status.logs of a function that is being built.
  virtual void build_logged(const FunctionId& id, const boost::json::object& line) = 0;
};

// Lives on its loop's thread. What is given back are copies.
class Platform {
 public:
  virtual ~Platform() = default;

  virtual std::string_view kind() const = 0;  // "local" or "kube", as Nuclio's clients know it
  virtual std::vector<Namespace> namespaces() const = 0;

  // Functions with their status; of one project when it is named.
  virtual Result<std::vector<spec::FunctionConfig>> functions(const Namespace& namespace_name,
                                                              const std::optional<ProjectName>& project) = 0;
  virtual Result<spec::FunctionConfig> function(const FunctionId& id) = 0;  // Why::not_found

  // Makes a function what `given` says, {metadata, spec} with name and namespace set. Returns once it is accepted and
  // its state is building (imported when its annotations ask for that): all else goes on by itself, see settled().
  // Why::invalid for what is wrong with it or its code, Why::conflict when it exists or `given` is stale,
  // Why::precondition when its project is missing, its name is reserved, or something is being done to it.
  virtual Task<Result<void>> deploy(boost::json::value given, Deploy mode) = 0;
  // Runs what was deployed, or stops it but keeps it. Returns once that has begun. Why::not_found, Why::precondition.
  virtual Task<Result<void>> set_desired_state(FunctionId id, DesiredState state) = 0;
  // Waits until nothing is being done to the function any more. The error is that of what was being done, with the last
  // lines of its log; Why::timeout at the deadline; Why::not_found when the function is gone.
  virtual Task<Result<void>> settled(FunctionId id, Deadline deadline) = 0;
  // Returns once nothing is left of it and of its events. Why::not_found; Why::conflict when the version is stale;
  // Why::precondition when something is being done to it, unless forced, and while gateways lead to it.
  virtual Task<Result<void>> delete_function(FunctionId id, ResourceVersion version, Force force,
                                             WithGateways gateways) = 0;

  // Those that run; when none does, the last one that did, so that its log can be read.
  virtual Result<std::vector<ReplicaName>> replicas(const FunctionId& id) = 0;
  virtual Result<std::unique_ptr<http::BodySource>> logs(const FunctionId& id, const ReplicaName& replica,
                                                         const LogRequest& request) = 0;

  // The last ones, newest first, kRevisionsKept at least if there were so many. Why::not_found.
  virtual Task<Result<std::vector<RevisionSummary>>> revisions(FunctionId id) = 0;
  // What it was asked to be then, without status; to go back is to deploy that. Why::not_found.
  virtual Task<Result<spec::FunctionConfig>> revision(FunctionId id, Revision number) = 0;

  // Of all replicas that run, as far as they can be reached from here.
  virtual std::vector<MetricsAddress> metrics_addresses() = 0;
  // Where a replica of the newest version that is ready answers HTTP, "10.0.0.7:8080": for who must not reach the one
  // before, which the function's URLs may lead to for a moment after they are told otherwise. Replicas take turns.
  // Nothing when there is no such moment, no replica is ready, or it is not known what there is: then the URLs lead to
  // who answers.
  virtual std::optional<std::string> replica_to_invoke(const FunctionId& id) = 0;
  // One at a time, borrowed; null for nobody.
  virtual void observe(Observer* observer) = 0;

  virtual Result<std::vector<spec::Project>> projects(const Namespace& namespace_name) = 0;
  virtual Result<spec::Project> project(const ProjectId& id) = 0;        // Why::not_found
  virtual Task<Result<void>> create_project(spec::Project project) = 0;  // Why::conflict
  virtual Task<Result<void>> update_project(spec::Project project) = 0;  // Why::not_found
  // Why::precondition when it is the default project or, with `restricted` and `check`, still holds functions or
  // gateways.
  virtual Task<Result<void>> delete_project(ProjectId id, ProjectDeletion deletion) = 0;

  // Events that are kept to invoke functions with; of one function when it is named. By name.
  virtual Task<Result<std::vector<spec::FunctionEvent>>> function_events(Namespace namespace_name,
                                                                         std::optional<FunctionName> function) = 0;
  virtual Task<Result<spec::FunctionEvent>> function_event(FunctionEventId id) = 0;  // Why::not_found
  // Its label says whose it is, and need not name a function that exists: one that is deleted takes its events along.
  virtual Task<Result<void>> create_function_event(spec::FunctionEvent event) = 0;  // Why::conflict
  virtual Task<Result<void>> update_function_event(spec::FunctionEvent event) = 0;  // Why::not_found
  virtual Task<Result<void>> delete_function_event(FunctionEventId id) = 0;         // Why::not_found

  // Gateways by name, with their status. In the place of a password stands a reference (spec/masking.h), which an
  // update takes for the password that there is.
  virtual Task<Result<std::vector<spec::ApiGateway>>> api_gateways(Namespace namespace_name, GatewaysOf which) = 0;
  virtual Task<Result<spec::ApiGateway>> api_gateway(ApiGatewayId id) = 0;  // Why::not_found
  // Give the gateway as it is kept. Why::invalid for what is wrong with it; Why::precondition when another gateway or a
  // function has its host and path, or when functions are to be checked and one is missing; Why::conflict when it
  // exists, Why::not_found when it does not.
  virtual Task<Result<spec::ApiGateway>> create_api_gateway(spec::ApiGateway gateway, CheckFunctions check) = 0;
  virtual Task<Result<spec::ApiGateway>> update_api_gateway(spec::ApiGateway gateway, CheckFunctions check) = 0;
  virtual Task<Result<void>> delete_api_gateway(ApiGatewayId id) = 0;  // Why::not_found
};

}  // namespace nuclio::platform
