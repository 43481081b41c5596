// SPDX-License-Identifier: Apache-2.0
// What may be asked of the platform. How a deploy goes is in deploy.cc, projects are in projects.cc.
#include "platform/kube/kube_platform.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <filesystem>

#include "base/log.h"
#include "base/names.h"
#include "base/random_text.h"
#include "platform/demands.h"
#include "platform/kube/deploying.h"
#include "platform/kube/names.h"
#include "platform/kube/objects.h"
#include "platform/kube/pod_log.h"
#include "platform/kube/pods.h"
#include "spec/load.h"

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using spec::FunctionState;

constexpr auto kCallTime = 30s;
constexpr auto kDeleteTime = 120s;

// Of 63 characters, five are drawn by lot.
constexpr std::size_t kLongestPodPrefix = 58;

k8s::InformerOptions all_of(const k8s::Resource& resource, const Namespace& namespace_name) {
  k8s::InformerOptions options{.resource = resource};
  options.namespace_name = namespace_name.value();
  return options;
}

k8s::InformerOptions pods_of(const Namespace& namespace_name) {
  k8s::InformerOptions options = all_of(k8s::kPods, namespace_name);
  options.label_selector = std::string(kClassLabel) + "=function";
  options.trim = trim_pod;
  return options;
}

// In a cluster, the pod's.
std::string machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == 0) return "dashboard";
  return name.data();
}

Error not_installed(Error error) {
  if (error.why == Why::not_found)
    error.what =
        "Nuclio is not installed in this cluster: it does not know NuclioFunction objects\ninstall it with "
        "helm, or with kubectl apply -f deploy/kubernetes\n(" +
        error.what + ")";
  return error;
}

}  // namespace

KubePlatform::Watched::Watched(Loop& loop, k8s::Api& api, const Namespace& namespace_name,
                               k8s::Informer::Changed function_changed, k8s::Informer::Changed project_changed,
                               k8s::Informer::Changed pod_changed)
    : functions(loop, api, all_of(kFunctions, namespace_name), std::move(function_changed)),
      projects(loop, api, all_of(kProjects, namespace_name), std::move(project_changed)),
      pods(loop, api, pods_of(namespace_name), std::move(pod_changed)) {}

KubePlatform::KubePlatform(Loop& loop, k8s::Api& api, http::Client& client, const oci::Keychain& keychain,
                           std::vector<wire::Runtime> runtimes, KubePlatformOptions options)
    : loop_(loop),
      api_(api),
      client_(client),
      runtimes_(std::move(runtimes)),
      options_(std::move(options)),
      images_(loop, client, keychain, options_.images),
      changed_(loop),
      clearing_(loop),
      builder_(machine_name() + "_" + random_text(8)),
      work_(loop) {}

KubePlatform::~KubePlatform() = default;

Task<Result<void>> KubePlatform::open(Deadline deadline) {
  for (const Namespace& each : options_.namespaces) {
    auto& in = watched_[each];
    const auto calls = [this](void (KubePlatform::*changed)(const k8s::Object&, const k8s::Object&)) {
      return [this, changed](const k8s::Object& before, const k8s::Object& now) { (this->*changed)(before, now); };
    };
    in = std::make_unique<Watched>(loop_, api_, each, calls(&KubePlatform::function_changed),
                                   calls(&KubePlatform::project_changed), calls(&KubePlatform::pod_changed));
    in->functions.start();
    in->projects.start();
    in->pods.start();
  }
  for (const Namespace& each : options_.namespaces) {
    Watched& in = *watched_.at(each);
    auto seen = co_await in.functions.wait_synced(deadline);
    if (!seen) co_return fail(not_installed(std::move(seen).error()));
    CO_TRY_DO(co_await in.projects.wait_synced(deadline));
    CO_TRY_DO(co_await in.pods.wait_synced(deadline));
    CO_TRY_DO(co_await make_default_project(each, deadline));
  }
  co_return Result<void>{};
}

Task<void> KubePlatform::shut_down(Deadline deadline) {
  work_.cancel();
  for (auto& [id, deploying] : deploying_) {
    if (deploying->work.size() == 0) continue;
    deploying->work.cancel();
    deploying->add_log("error", "the build was interrupted: its dashboard ended");
    co_await failed(*deploying, "the build was interrupted; deploy the function again");
    if (deadline.passed()) break;
  }
  deploying_.clear();
  (void)co_await clearing_.empty(deadline);
}

Result<KubePlatform::Watched*> KubePlatform::watched(const Namespace& namespace_name) {
  TRY_DO(parse_namespace(namespace_name.value()));
  auto found = watched_.find(namespace_name);
  if (found != watched_.end()) return found->second.get();
  return fail(Why::not_found, "namespace \"" + namespace_name.value() + "\" is not served here");
}

Result<k8s::Object> KubePlatform::object(const FunctionId& id) {
  TRY(Watched * in, watched(id.namespace_name));
  k8s::Object found = in->functions.find(name_of(id));
  if (!found) return fail(missing_function(id));
  return found;
}

Result<std::vector<spec::FunctionConfig>> KubePlatform::functions(const Namespace& namespace_name,
                                                                  const std::optional<ProjectName>& project) {
  TRY(Watched * in, watched(namespace_name));
  std::vector<spec::FunctionConfig> out;
  for (const k8s::Object& object : in->functions.all()) {
    auto config = function(FunctionId{namespace_name, FunctionName{k8s::name_of(*object).name}});
    // One that cannot be read is the controller's to complain about, and must not hide the others.
    if (!config) continue;
    if (!project || platform::project_of(*config) == *project) out.push_back(std::move(*config));
  }
  return out;
}

Result<spec::FunctionConfig> KubePlatform::function(const FunctionId& id) {
  TRY(const k8s::Object found, object(id));
  TRY(auto loaded, function_of(*found));
  const auto deploying = deploying_.find(id);
  if (deploying != deploying_.end() && loaded.config.status.state == FunctionState::building &&
      k8s::uid_of(*found) == deploying->second->uid)
    loaded.config.status.logs = deploying->second->logs;
  // It names a Secret of this very object: whoever makes another of what is shown must not point at it.
  loaded.config.metadata.annotations.erase(std::string(kSecretAnnotation));
  return std::move(loaded.config);
}

Task<Result<void>> KubePlatform::set_desired_state(FunctionId id, DesiredState state) {
  CO_TRY(const k8s::Object found, object(id));
  CO_TRY(auto loaded, function_of(*found));
  CO_TRY_DO(may_change(loaded.config, ""));
  const char* next = "waitingForResourceConfiguration";
  if (state == DesiredState::scaled_to_zero) {
    CO_TRY_DO(may_scale_to_zero(loaded.config));
    next = "waitingForScaleResourceToZero";
  } else if (loaded.config.status.state == FunctionState::imported) {
    spec::FunctionConfig config = std::move(loaded.config);
    config.status = {};
    for (const char* annotation : {"skip-build", "skip-deploy"}) config.metadata.annotations.erase(annotation);
    CO_TRY(json::value given, co_await restored(spec::to_json(config, spec::Secrets::shown), found));
    CO_TRY(auto asked, spec::read_function(given, spec::Unknown::warning));
    co_return co_await begin(std::move(given), std::move(asked), found);
  } else if (loaded.config.status.state == FunctionState::scaled_to_zero) {
    next = "waitingForScaleResourceFromZero";
  }
  json::object status{{"state", next}, {"message", ""}};
  json::object changes{{"status", std::move(status)}};
  const std::string uid{k8s::uid_of(*found)};
  co_return co_await patch(std::move(id), uid, std::move(changes), Deadline::in(kCallTime));
}

Task<Result<void>> KubePlatform::settled(FunctionId id, Deadline deadline) {
  for (;;) {
    auto config = function(id);
    if (!config) co_return std::unexpected(std::move(config).error());
    const FunctionState state = config->status.state;
    if (spec::provisioned(state)) {
      if (state != FunctionState::error && state != FunctionState::unhealthy) co_return Result<void>{};
      co_return fail(Why::internal, config->status.message);
    }
    const bool notified = co_await changed_.wait(deadline);
    if (!notified) co_return fail(still_deploying(id));
  }
}

Task<Result<void>> KubePlatform::delete_function(FunctionId id, ResourceVersion version, Force force,
                                                 WithGateways gateways) {
  CO_TRY(const k8s::Object found, object(id));
  CO_TRY(Watched * in, watched(id.namespace_name));
  auto loaded = function_of(*found);
  // One that cannot be read can still be deleted.
  if (loaded) {
    auto allowed = may_change(loaded->config, version.value());
    if (!allowed && !(force == Force::yes && allowed.error().why == Why::precondition)) co_return allowed;
  }
  const Deadline deadline = Deadline::in(kDeleteTime);
  const GatewaysOf its{.function = id.name};
  CO_TRY(const auto leading_to_it, co_await api_gateways(id.namespace_name, its));
  if (gateways == WithGateways::no) CO_TRY_DO(may_delete(id, leading_to_it));
  CO_TRY_DO(co_await delete_gateways(leading_to_it, deadline));
  // First: when they cannot be deleted, the function is still there for another try, which would not look for them
  // once it was gone.
  CO_TRY_DO(co_await delete_events_of(id, deadline));
  deploying_.erase(id);
  k8s::DeleteOptions options{.propagation = k8s::Propagation::foreground};
  options.uid = std::string(k8s::uid_of(*found));
  CO_TRY_DO(co_await api_.remove(kFunctions, name_of(id), options, deadline));
  for (;;) {
    k8s::Object left = in->functions.find(name_of(id));
    if (!left || k8s::uid_of(*left) != options.uid) co_return Result<void>{};
    const bool notified = co_await changed_.wait(deadline);
    if (!notified)
      co_return fail(Why::timeout, quoted("function", id.name.value()) +
                                       " is being deleted, but what Kubernetes made for it is not gone yet");
  }
}

Result<std::vector<ReplicaName>> KubePlatform::replicas(const FunctionId& id) {
  TRY_DO(object(id));
  TRY(Watched * in, watched(id.namespace_name));
  std::vector<ReplicaName> out;
  for (const k8s::Object& pod : in->pods.all())
    if (k8s::label_of(*pod, kFunctionLabel) == id.name.value()) out.emplace_back(k8s::name_of(*pod).name);
  return out;
}

std::vector<MetricsAddress> KubePlatform::metrics_addresses() {
  std::vector<MetricsAddress> out;
  for (const auto& [namespace_name, in] : watched_) {
    for (const k8s::Object& pod : in->pods.all()) {
      const std::string_view function = k8s::label_of(*pod, kFunctionLabel);
      std::string address = address_of(*pod, "metrics");
      if (function.empty() || address.empty()) continue;
      out.push_back({{namespace_name, FunctionName{std::string(function)}},
                     ReplicaName{k8s::name_of(*pod).name},
                     std::move(address)});
    }
  }
  return out;
}

std::optional<std::string> KubePlatform::replica_to_invoke(const FunctionId& id) {
  const auto in = watched(id.namespace_name);
  // Who has not heard of pods for long may know an address that somebody else's pod has by now.
  if (!in || !(*in)->pods.health()) return std::nullopt;
  // A Deployment's pods begin with its name, or with as much of it as names of pods have room for.
  const std::string prefix = object_name(id.name.value()).substr(0, kLongestPodPrefix);
  std::vector<k8s::Object> its = (*in)->pods.with_prefix({id.namespace_name.value(), prefix});
  std::erase_if(its, [&](const k8s::Object& pod) { return k8s::label_of(*pod, kFunctionLabel) != id.name.value(); });
  std::string address = address_to_invoke(its, invocations_++);
  if (address.empty()) return std::nullopt;
  return address;
}

void KubePlatform::tell(const FunctionId& id) {
  changed_.notify_all();
  if (observer_) observer_->function_changed(id);
}

void KubePlatform::project_changed(const k8s::Object& before, const k8s::Object& now) {
  changed_.notify_all();
  const k8s::ObjectName name = k8s::name_of(now ? *now : *before);
  if (observer_) observer_->project_changed({Namespace{name.namespace_name}, ProjectName{name.name}});
}

void KubePlatform::pod_changed(const k8s::Object& before, const k8s::Object& now) {
  const json::object& pod = now ? *now : *before;
  tell({Namespace{k8s::name_of(pod).namespace_name}, FunctionName{std::string(k8s::label_of(pod, kFunctionLabel))}});
}

Result<std::unique_ptr<http::BodySource>> KubePlatform::logs(const FunctionId& id, const ReplicaName& replica,
                                                             const LogRequest& request) {
  TRY(const auto names, replicas(id));
  if (std::ranges::find(names, replica) == names.end())
    return fail(Why::invalid, quoted("replica", replica.value()) + " is none of function \"" + id.name.value() +
                                  "\"; its replicas are listed under /api/functions/" + id.name.value() + "/replicas");
  return read_pod_log(api_, {id.namespace_name.value(), replica.value()}, request);
}

}  // namespace nuclio::platform::kube
