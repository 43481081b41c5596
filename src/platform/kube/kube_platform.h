// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "builder/fetch.h"
#include "builder/image_builder.h"
#include "builder/source.h"
#include "http/client.h"
#include "k8s/api.h"
#include "k8s/informer.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/wait_list.h"
#include "oci/keychain.h"
#include "platform/kube/command_job.h"
#include "platform/platform.h"
#include "spec/load.h"
#include "spec/masking.h"
#include "spec/platform_config.h"
#include "wire/runtime.h"

namespace nuclio::platform::kube {

struct KubePlatformOptions {
  std::vector<Namespace> namespaces;     // that are served
  std::string runtimes;                  // the folder with one folder a runtime
  std::string work;                      // a folder of ours alone, for builds; made when it does not exist
  std::vector<std::string> environment;  // ours: "NAME=value"; of builds
  builder::Asker asker = builder::Asker::anyone;
  builder::ImageBuilderOptions images;
  std::string registry;      // where images go when a function does not say; "" when each must
  std::string run_registry;  // where nodes pull them from; "" for the same
  std::string pull_secret;   // name of the Secret with which they do; "" for none
  // Where base images come from whose names have no registry, when neither the function nor `config` says; "" for
  // Docker Hub.
  std::string base_registry;
  // Where an image's commands run; nothing for this machine, in user namespaces.
  std::optional<CommandJobOptions> command_jobs = {};
  // Whether to make images of functions that somebody applied without one; in a cluster some dashboard should.
  bool builds_for_others = false;
  spec::PlatformConfig config = {};
};

// Functions on Kubernetes. What is wanted is written into NuclioFunction objects, and images are made here; all else is
// the controller's, which tells in the objects' status how far it has come. Whoever else writes these objects (kubectl,
// another dashboard, Nuclio's own) may do so at any time: what is known here is what the API server says.
//
// Lives on its loop's thread; loop, api, client and keychain outlive it.
class KubePlatform final : public Platform {
 public:
  KubePlatform(Loop& loop, k8s::Api& api, http::Client& client, const oci::Keychain& keychain,
               std::vector<wire::Runtime> runtimes, KubePlatformOptions options);
  ~KubePlatform() override;

  // Returns once it knows what there is: Why::not_found when Nuclio is not installed in the cluster, Why::forbidden
  // when we may not read its objects. Makes the default projects where they are missing.
  Task<Result<void>> open(Deadline deadline);
  // Builds that are at work end, and their functions say so.
  Task<void> shut_down(Deadline deadline);

  std::string_view kind() const override { return "kube"; }
  std::vector<Namespace> namespaces() const override { return options_.namespaces; }
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
  std::optional<std::string> replica_to_invoke(const FunctionId& id) override;
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
  // What is watched of a namespace.
  struct Watched {
    Watched(Loop& loop, k8s::Api& api, const Namespace& namespace_name, k8s::Informer::Changed function_changed,
            k8s::Informer::Changed project_changed, k8s::Informer::Changed pod_changed);
    k8s::Informer functions, projects, pods;
  };
  // A deploy that is at work here.
  struct Deploying;

  Result<Watched*> watched(const Namespace& namespace_name);
  Result<k8s::Object> object(const FunctionId& id);
  Task<Result<std::vector<boost::json::object>>> event_objects(Namespace namespace_name,
                                                               std::optional<FunctionName> function, Deadline deadline);
  Task<Result<boost::json::object>> event_object(FunctionEventId id, Deadline deadline);
  Task<Result<void>> delete_events_of(FunctionId id, Deadline deadline);
  Task<Result<boost::json::object>> gateway_object(ApiGatewayId id, Deadline deadline);
  Task<Result<void>> may_serve(spec::ApiGateway gateway, CheckFunctions check);
  Task<Result<std::string>> kept_password(boost::json::object existing, Deadline deadline);
  Task<Result<void>> keep_password(boost::json::object gateway, std::string password, Deadline deadline);
  Task<Result<void>> remove_secret(boost::json::object gateway, Deadline deadline);
  Task<Result<void>> delete_gateways(std::vector<spec::ApiGateway> gateways, Deadline deadline);
  Result<void> check_project(const spec::FunctionConfig& config);
  Task<Result<void>> make_default_project(Namespace namespace_name, Deadline deadline);

  Task<Result<void>> import(spec::FunctionConfig config, k8s::Object existing);
  Task<Result<void>> begin(boost::json::value given, spec::Loaded<spec::FunctionConfig> asked, k8s::Object existing);
  Result<std::vector<schema::Problem>> complete(spec::FunctionConfig& config);
  Task<Result<void>> write(spec::FunctionConfig config, k8s::Object existing, std::string builder = "");
  Task<Result<boost::json::value>> restored(boost::json::value function, k8s::Object existing);
  Task<Result<std::string>> keep(const spec::FunctionConfig& config, spec::MaskedValues values, k8s::Object existing);
  Task<Result<spec::MaskedValues>> kept_values(k8s::Object existing);
  void function_changed(const k8s::Object& before, const k8s::Object& now);
  void project_changed(const k8s::Object& before, const k8s::Object& now);
  void pod_changed(const k8s::Object& before, const k8s::Object& now);
  void tell(const FunctionId& id);
  std::string new_builder();
  Deploying& begin_build(const FunctionId& id, std::string builder, const boost::json::object& object,
                         Deadline deadline);
  Task<void> build_applied(k8s::Object object);
  Task<Result<boost::json::object>> claim(k8s::ObjectName name, std::string version, std::string builder);
  Task<void> keep_claim(FunctionId id, std::string builder);
  Task<void> bring_up_applied(Deploying& deploying, k8s::Object function);
  Task<Result<void>> find_applied(Deploying& deploying, k8s::Object function);
  Task<void> bring_up(Deploying& deploying);
  Task<Result<void>> fetch(Deploying& deploying);
  Task<Result<void>> build(Deploying& deploying);
  Task<Result<void>> hand_over(Deploying& deploying);
  Task<void> failed(Deploying& deploying, std::string message);
  using Changes = std::function<boost::json::object(const boost::json::object& function)>;
  Task<Result<void>> end_claim(Deploying& deploying, Changes changes);
  Task<Result<void>> patch(FunctionId id, std::string uid, boost::json::object patch, Deadline deadline);

  Loop& loop_;
  k8s::Api& api_;
  http::Client& client_;
  std::vector<wire::Runtime> runtimes_;
  KubePlatformOptions options_;
  builder::ImageBuilder images_;
  Observer* observer_ = nullptr;
  WaitList changed_;  // any object's; before those who notify it
  Group clearing_;    // Jobs that are of no use any more; before deploys, which leave some
  std::map<Namespace, std::unique_ptr<Watched>> watched_;
  std::map<FunctionId, std::unique_ptr<Deploying>> deploying_;
  const std::string builder_;     // no other start of any program has it
  std::size_t builds_begun_ = 0;  // for the names of builds and their folders
  std::size_t invocations_ = 0;   // so that replicas take turns
  Group work_;
};

}  // namespace nuclio::platform::kube
