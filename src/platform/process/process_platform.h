// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "builder/fetch.h"
#include "builder/source.h"
#include "http/client.h"
#include "loop/descriptor.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/wait_list.h"
#include "platform/platform.h"
#include "platform/process/home.h"
#include "platform/process/leftover.h"
#include "platform/process/store.h"
#include "platform/process/supervisor.h"
#include "platform/process/trash.h"
#include "spec/load.h"
#include "spec/platform_config.h"
#include "wire/runtime.h"

namespace nuclio::platform::process {

struct ProcessPlatformOptions {
  std::string home;                      // NUCLIO_HOME, absolute
  std::string processor;                 // the program
  std::string log_keeper;                // the program
  std::string runtimes;                  // the folder with one folder a runtime
  std::vector<std::string> environment;  // ours: "NAME=value"; functions see little of it
  Namespace namespace_name{"nuclio"};
  spec::PlatformConfig config = {};
};

// Functions as child processes of this one: supervised, each with its own listening socket, which is ours, so that a
// new revision takes over without a connection lost. What is wanted of them is kept in NUCLIO_HOME.
//
// A deploy that fails gives the state `error`, whether or not an older revision goes on serving: the message says so.
class ProcessPlatform final : public Platform {
 public:
  // Reads the state and starts what ran before. One at a time for a home: the caller sees to it.
  static Result<std::unique_ptr<ProcessPlatform>> open(Loop& loop, ProcessPlatformOptions options);
  ~ProcessPlatform() override;

  // Ends all functions at the same time, for the next open() to start again. No other call may be at work.
  Task<void> shut_down(Deadline deadline);

  std::string_view kind() const override { return "local"; }
  std::vector<Namespace> namespaces() const override { return {options_.namespace_name}; }
  Result<std::vector<spec::FunctionConfig>> functions(const Namespace& namespace_name,
                                                      const std::optional<ProjectName>& project) override;
  Result<spec::FunctionConfig> function(const FunctionId& id) override;
  Task<Result<void>> deploy(boost::json::value given, Deploy mode) override;
  Task<Result<void>> set_desired_state(FunctionId id, DesiredState state) override;
  Task<Result<void>> settled(FunctionId id, Deadline deadline) override;
  Task<Result<void>> delete_function(FunctionId id, ResourceVersion version, Force force,
                                     WithGateways gateways) override;
  Result<std::vector<ReplicaName>> replicas(const FunctionId& id) override;
  Result<std::unique_ptr<http::BodySource>> logs(const FunctionId& id, const ReplicaName& replica,
                                                 const LogRequest& request) override;
  Task<Result<std::vector<RevisionSummary>>> revisions(FunctionId id) override;
  Task<Result<spec::FunctionConfig>> revision(FunctionId id, Revision number) override;
  std::vector<MetricsAddress> metrics_addresses() override;
  // A connection that is made after a deploy leads to what was deployed.
  std::optional<std::string> replica_to_invoke(const FunctionId&) override { return std::nullopt; }
  void observe(Observer* observer) override { observer_ = observer; }
  Result<std::vector<spec::Project>> projects(const Namespace& namespace_name) override;
  Result<spec::Project> project(const ProjectId& id) override;
  Task<Result<void>> create_project(spec::Project project) override;
  Task<Result<void>> update_project(spec::Project project) override;
  Task<Result<void>> delete_project(ProjectId id, ProjectDeletion deletion) override;
  Task<Result<std::vector<spec::FunctionEvent>>> function_events(Namespace namespace_name,
                                                                 std::optional<FunctionName> function) override;
  Task<Result<spec::FunctionEvent>> function_event(FunctionEventId id) override;
  Task<Result<void>> create_function_event(spec::FunctionEvent event) override;
  Task<Result<void>> update_function_event(spec::FunctionEvent event) override;
  Task<Result<void>> delete_function_event(FunctionEventId id) override;
  Task<Result<std::vector<spec::ApiGateway>>> api_gateways(Namespace namespace_name, GatewaysOf which) override;
  Task<Result<spec::ApiGateway>> api_gateway(ApiGatewayId id) override;
  Task<Result<spec::ApiGateway>> create_api_gateway(spec::ApiGateway gateway, CheckFunctions check) override;
  Task<Result<spec::ApiGateway>> update_api_gateway(spec::ApiGateway gateway, CheckFunctions check) override;
  Task<Result<void>> delete_api_gateway(ApiGatewayId id) override;

 private:
  struct Managed;

  ProcessPlatform(Loop& loop, ProcessPlatformOptions options, Store store, std::vector<wire::Runtime> runtimes);
  Result<void> load();
  void sort_leftovers();
  Result<void> sweep();
  void settle(Managed& managed);
  void resume(Managed& managed);
  Task<void> run_all_again();
  Task<void> run_again_later(Managed& managed);
  void run_again(Managed& managed);
  Task<void> resumed(Managed& managed);
  Task<void> leftovers_ended(std::vector<std::unique_ptr<Leftover>>& leftovers);

  Result<void> may_change(const Managed& managed, const std::string& resource_version) const;
  Result<void> add_project(const spec::Project& project);
  enum class MustExist : bool { no, yes };
  Result<spec::ApiGateway> keep(spec::ApiGateway gateway, CheckFunctions check, MustExist must_exist);
  Result<void> check_project(const spec::FunctionConfig& config) const;
  Result<void> import(spec::FunctionConfig config, Managed* existing);
  Result<void> begin(boost::json::value given, spec::Loaded<spec::FunctionConfig> asked, Managed* existing);
  Result<std::vector<schema::Problem>> complete(spec::FunctionConfig& config) const;
  Result<void> accept(Managed& managed, spec::FunctionConfig config);
  Result<void> want(Managed& managed, Desired desired);
  Managed& add(StoredFunction stored);
  Managed* find(const FunctionId& id);
  void changed(const FunctionId& id);
  std::vector<FunctionId> functions_of(const ProjectId& id) const;

  builder::Asker asker() const;
  Task<void> fetch_and_bring_up(Managed& managed, boost::json::value given, builder::Origin origin, Deadline deadline);
  Task<Result<builder::Source>> fetch(Managed& managed, const boost::json::value& given, const builder::Origin& origin,
                                      Deadline deadline);
  Task<void> bring_up(Managed& managed, builder::Source source, Deadline deadline);
  Task<Result<void>> build(Managed& managed, const builder::Source& source, Deadline deadline);
  Task<void> start(Managed& managed, spec::FunctionConfig config, Revision revision);
  Task<Result<void>> start_replicas(Managed& managed, const spec::FunctionConfig& config, Revision revision);
  Result<void> begin_serving(Managed& managed, const spec::FunctionConfig& config, Revision revision, int port);
  Task<void> stop(Managed& managed);

  Result<Descriptor> socket_for(const Managed& managed, const spec::FunctionConfig& config) const;
  Launch launch(const Managed& managed, const spec::FunctionConfig& config, Revision revision, int socket) const;
  Supervisor::Times times(const spec::FunctionConfig& config) const;
  static void served_at(StoredFunction& stored, int port);
  std::vector<std::string> environment_for_build(const std::string& folder) const;
  void add_log(Managed& managed, std::string_view level, std::string_view message);
  void show_state(Managed& managed, spec::FunctionState state);
  void set_state(Managed& managed, spec::FunctionState state, std::string message);
  void failed(Managed& managed, const Error& error, Revision revision);
  void health_changed(Managed& managed);
  void forget_old(Managed& managed, Revision previous);

  Loop& loop_;
  ProcessPlatformOptions options_;
  Home home_;
  Store store_;
  std::vector<wire::Runtime> runtimes_;
  Trash trash_;
  std::map<ProjectId, spec::Project> projects_;
  http::Client client_;  // for code that is elsewhere
  Observer* observer_ = nullptr;
  WaitList changed_;  // any function's state; before the functions
  std::map<FunctionId, std::unique_ptr<Managed>> functions_;
  std::vector<std::unique_ptr<Leftover>> of_nobody_;  // of functions that are deleted
  Group work_;
};

}  // namespace nuclio::platform::process
