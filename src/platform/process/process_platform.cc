// SPDX-License-Identifier: Apache-2.0
// What may be asked of the platform about functions. Projects are in projects.cc; how a revision is built, started and
// replaced is in bring_up.cc.
#include "platform/process/process_platform.h"

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "base/log.h"
#include "base/names.h"
#include "platform/process/managed.h"
#include "platform/process/revision_files.h"
#include "spec/enrich.h"
#include "spec/load.h"
#include "spec/rules.h"

namespace nuclio::platform::process {
namespace {

using spec::FunctionState;
using namespace std::chrono_literals;

constexpr auto kDrainTime = 30s;

}  // namespace

ProcessPlatform::ProcessPlatform(Loop& loop, ProcessPlatformOptions options, Store store,
                                 std::vector<wire::Runtime> runtimes)
    : loop_(loop),
      options_(std::move(options)),
      home_(options_.home),
      store_(std::move(store)),
      runtimes_(std::move(runtimes)),
      trash_(loop, home_.trash()),
      client_(loop),
      changed_(loop),
      work_(loop) {}

ProcessPlatform::~ProcessPlatform() = default;

Result<std::unique_ptr<ProcessPlatform>> ProcessPlatform::open(Loop& loop, ProcessPlatformOptions options) {
  TRY_DO(make_private_folder(options.home));
  TRY(auto runtimes, wire::load_runtimes(options.runtimes));
  TRY(Store store, Store::open(Home{options.home}.state()));
  std::unique_ptr<ProcessPlatform> platform{
      new ProcessPlatform{loop, std::move(options), std::move(store), std::move(runtimes)}};
  TRY_DO(platform->load());
  return platform;
}

ProcessPlatform::Managed& ProcessPlatform::add(StoredFunction stored) {
  FunctionId id = id_of(stored.config);
  auto managed = std::make_unique<Managed>(loop_, std::move(stored), [this, id] {
    if (Managed* changed = find(id)) health_changed(*changed);
  });
  return *(functions_[id] = std::move(managed));
}

ProcessPlatform::Managed* ProcessPlatform::find(const FunctionId& id) {
  auto found = functions_.find(id);
  return found == functions_.end() ? nullptr : found->second.get();
}

Task<void> ProcessPlatform::shut_down(Deadline deadline) {
  work_.cancel();
  for (auto& [id, managed] : functions_) managed->work.cancel();
  Group stopping{loop_};
  for (auto& [id, managed] : functions_) stopping.spawn(managed->supervisor.stop(deadline));
  (void)co_await stopping.empty();
}

Result<std::vector<spec::FunctionConfig>> ProcessPlatform::functions(const Namespace& namespace_name,
                                                                     const std::optional<ProjectName>& project) {
  std::vector<spec::FunctionConfig> out;
  for (const auto& [id, managed] : functions_)
    if (id.namespace_name == namespace_name && (!project || project_of(managed->stored.config) == *project))
      out.push_back(managed->stored.config);
  return out;
}

Result<spec::FunctionConfig> ProcessPlatform::function(const FunctionId& id) {
  Managed* managed = find(id);
  if (!managed) return fail(missing_function(id));
  return managed->stored.config;
}

Result<void> ProcessPlatform::may_change(const Managed& managed, const std::string& resource_version) const {
  const spec::FunctionConfig& config = managed.stored.config;
  if (managed.being_deleted && (resource_version.empty() || resource_version == config.metadata.resource_version))
    return fail(Why::precondition,
                quoted("function", config.metadata.name) + " is being deleted; try again in a moment");
  return platform::may_change(config, resource_version);
}

Result<void> ProcessPlatform::check_project(const spec::FunctionConfig& config) const {
  ProjectName project = project_of(config);
  if (projects_.contains({Namespace{config.metadata.namespace_name}, project})) return {};
  return fail(without_project(config));
}

Task<Result<void>> ProcessPlatform::deploy(boost::json::value given, Deploy mode) {
  CO_TRY(auto asked, spec::read_function(given, spec::Unknown::warning));
  const spec::Metadata metadata = asked.config.metadata;
  CO_TRY(FunctionId id, checked_id(metadata));
  log_warnings(quoted("function", metadata.name), asked.warnings);
  Managed* existing = find(id);
  if (existing && mode == Deploy::only_new) co_return fail(existing_function(id));
  if (existing) CO_TRY_DO(may_change(*existing, metadata.resource_version));
  if (is_import(metadata)) co_return import(spec::enrich(std::move(asked.config), options_.config), existing);
  if (!existing && asked.config.spec.build.mode == spec::BuildMode::never) co_return fail(never_built(id));

  co_return begin(std::move(given), std::move(asked), existing);
}

// Kept as it is until somebody asks for it to run.
Result<void> ProcessPlatform::import(spec::FunctionConfig config, Managed* existing) {
  TRY_DO(check_project(config));
  if (config.spec.disable)
    return fail(Why::invalid, "an imported function cannot be disabled as well; leave out spec.disable");
  if (existing && existing->stored.config.status.state != FunctionState::imported)
    return fail(Why::conflict,
                quoted("function", config.metadata.name) + " exists already; delete it before it is imported again");
  const std::string before = existing ? existing->stored.config.metadata.resource_version : "0";
  config.status = {};
  config.status.state = FunctionState::imported;
  const FunctionId id = id_of(config);
  config.metadata.resource_version = std::to_string(std::atoll(before.c_str()) + 1);
  StoredFunction stored{.config = std::move(config), .desired = Desired::imported};
  TRY_DO(store_.save(stored));
  if (existing) {
    existing->stored = std::move(stored);
  } else {
    add(std::move(stored));
  }
  changed(id);
  return {};
}

Result<void> ProcessPlatform::want(Managed& managed, Desired desired) {
  StoredFunction next = managed.stored;
  next.desired = desired;
  TRY_DO(store_.save(next));
  managed.stored = std::move(next);
  return {};
}

Task<Result<void>> ProcessPlatform::set_desired_state(FunctionId id, DesiredState state) {
  Managed* managed = find(id);
  if (!managed) co_return fail(missing_function(id));
  CO_TRY_DO(may_change(*managed, ""));
  if (state == DesiredState::scaled_to_zero) {
    CO_TRY_DO(may_scale_to_zero(managed->stored.config));
    CO_TRY_DO(want(*managed, Desired::stopped));
    show_state(*managed, FunctionState::waiting_for_scale_resource_to_zero);
    managed->work.spawn(stop(*managed));
    co_return Result<void>{};
  }
  if (managed->stored.serving == Revision{0}) {
    spec::FunctionConfig config = managed->stored.config;
    config.status = {};
    for (const char* annotation : {"skip-build", "skip-deploy"}) config.metadata.annotations.erase(annotation);
    boost::json::value given = spec::to_json(config, spec::Secrets::shown);
    co_return begin(std::move(given), {std::move(config), {}}, managed);
  }
  CO_TRY(auto config, store_.revision(id, managed->stored.serving));
  CO_TRY_DO(want(*managed, Desired::running));
  managed->outcome = {};
  managed->work.spawn(start(*managed, std::move(config), managed->stored.serving));
  co_return Result<void>{};
}

Task<Result<void>> ProcessPlatform::settled(FunctionId id, Deadline deadline) {
  for (;;) {
    Managed* managed = find(id);  // again each time: it may have gone meanwhile
    if (!managed) co_return fail(missing_function(id));
    if (spec::provisioned(managed->status().state) && !managed->being_deleted) co_return managed->outcome;
    bool notified = co_await changed_.wait(deadline);
    if (!notified) co_return fail(still_deploying(id));
  }
}

Task<Result<void>> ProcessPlatform::delete_function(FunctionId id, ResourceVersion version, Force force,
                                                    WithGateways gateways) {
  Managed* managed = find(id);
  if (!managed) co_return fail(missing_function(id));
  auto allowed = may_change(*managed, version.value());
  bool may_force = !managed->being_deleted && (allowed || allowed.error().why == Why::precondition);
  if (!allowed && !(force == Force::yes && may_force)) co_return allowed;
  const GatewaysOf its{.function = id.name};
  CO_TRY(const auto leading_to_it, co_await api_gateways(id.namespace_name, its));
  if (gateways == WithGateways::no) CO_TRY_DO(may_delete(id, leading_to_it));
  for (const spec::ApiGateway& each : leading_to_it) CO_TRY_DO(store_.delete_api_gateway(id_of(each)));
  CO_TRY_DO(store_.delete_function(id));
  // From here on it does not come back, whatever happens to us.
  managed->being_deleted = true;
  managed->work.cancel();
  managed->socket.reset();
  co_await leftovers_ended(managed->leftovers);
  co_await managed->supervisor.stop(Deadline::in(kDrainTime));
  functions_.erase(id);
  trash_.take(home_.function(id));
  trash_.take(home_.logs(id));
  changed(id);
  co_return Result<void>{};
}

Result<std::vector<ReplicaName>> ProcessPlatform::replicas(const FunctionId& id) {
  Managed* managed = find(id);
  if (!managed) return fail(missing_function(id));
  auto names = managed->supervisor.replicas();
  if (!names.empty()) return names;
  std::error_code error;
  std::optional<std::filesystem::file_time_type> newest;
  for (std::filesystem::directory_iterator entry(home_.logs(id), error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code none;
    auto time = entry->last_write_time(none);
    if (none || entry->path().extension() != ".log" || (newest && time <= *newest)) continue;
    newest = time;
    names = {ReplicaName{entry->path().stem().string()}};
  }
  return names;
}

void ProcessPlatform::changed(const FunctionId& id) {
  changed_.notify_all();
  if (observer_) observer_->function_changed(id);
}

Task<Result<std::vector<RevisionSummary>>> ProcessPlatform::revisions(FunctionId id) {
  const Managed* managed = find(id);
  if (!managed) co_return fail(missing_function(id));
  const StoredFunction& function = managed->stored;
  CO_TRY(auto stored, store_.revisions(id));
  std::vector<RevisionSummary> out;
  for (StoredRevision& each : stored) {
    const bool at_work = each.number == function.latest && !spec::provisioned(function.config.status.state);
    RevisionState state = each.served ? RevisionState::superseded : RevisionState::failed;
    if (each.number == function.serving) {
      state = RevisionState::serving;
    } else if (at_work) {
      state = RevisionState::deploying;
    }
    out.push_back({each.number, each.deployed, std::move(each.deployed_by), state});
  }
  co_return out;
}

Task<Result<spec::FunctionConfig>> ProcessPlatform::revision(FunctionId id, Revision number) {
  if (!find(id)) co_return fail(missing_function(id));
  CO_TRY(auto config, store_.revision(id, number));
  config.status = {};
  config.metadata.resource_version.clear();  // deployed again, it takes the place of whatever there is
  co_return config;
}

std::vector<MetricsAddress> ProcessPlatform::metrics_addresses() {
  std::vector<MetricsAddress> out;
  for (const auto& [id, managed] : functions_)
    for (auto& [replica, address] : managed->supervisor.addresses("metrics"))
      out.push_back({id, std::move(replica), std::move(address)});
  return out;
}

Result<std::unique_ptr<http::BodySource>> ProcessPlatform::logs(const FunctionId& id, const ReplicaName& replica,
                                                                const LogRequest& request) {
  Managed* managed = find(id);
  if (!managed) return fail(missing_function(id));
  const std::string& name = replica.value();
  std::string prefix = id.name.value() + "-";
  bool one_of_its = name.starts_with(prefix) &&
                    name.find_first_not_of("0123456789abcdef", prefix.size()) == std::string::npos &&
                    std::filesystem::exists(home_.log(id, replica));
  if (!one_of_its)
    return fail(Why::invalid, quoted("replica", name) + " is none of function \"" + id.name.value() +
                                  "\"; its replicas are listed under /api/functions/" + id.name.value() + "/replicas");
  auto running = [this, id, replica] {
    Managed* owner = find(id);
    return owner && owner->supervisor.runs(replica);
  };
  return read_log(loop_, home_.log(id, replica), request, std::chrono::system_clock::now(), running);
}

}  // namespace nuclio::platform::process
