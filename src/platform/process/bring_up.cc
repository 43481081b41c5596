// SPDX-License-Identifier: Apache-2.0
// The life of a deploy: from source to replicas that serve, and what becomes of the revision before.
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "base/log.h"
#include "builder/artifact.h"
#include "loop/listener.h"
#include "platform/process/managed.h"
#include "platform/process/revision_files.h"
#include "platform/status_log.h"
#include "spec/invocation.h"

namespace nuclio::platform::process {
namespace {

namespace fs = std::filesystem;
using spec::FunctionState;
using namespace std::chrono_literals;

constexpr std::size_t kOldLogsKept = 2;
constexpr auto kDrainTime = 30s;

std::string url(int port) { return "127.0.0.1:" + std::to_string(port); }

}  // namespace

FunctionState good_state(const spec::FunctionSpec& spec) {
  return replica_count(spec) == 0 && !spec.disable ? FunctionState::scaled_to_zero : FunctionState::ready;
}

Result<int> port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return fail_errno("asking a socket for its port");
  return ntohs(address.sin_port);
}

Task<void> ProcessPlatform::bring_up(Managed& managed, builder::Source source, Deadline deadline) {
  Revision revision = managed.stored.latest;
  auto built = co_await build(managed, source, deadline);
  if (!built) {
    failed(managed, built.error(), revision);
    co_return;
  }
  co_await start(managed, managed.stored.config, revision);
}

std::vector<std::string> ProcessPlatform::environment_for_build(const std::string& folder) const {
  std::vector<std::string> out = builder::build_environment(options_.environment);
  out.push_back(std::string(kBuildVariable) + "=" + folder);
  return out;
}

Task<Result<void>> ProcessPlatform::build(Managed& managed, const builder::Source& source, Deadline deadline) {
  FunctionId id = id_of(managed.stored.config);
  std::string folder = home_.revision(id, managed.stored.latest);
  CO_TRY_DO(make_private_folder(folder));
  builder::ArtifactOptions options;
  options.code = folder + "/code";
  options.cache = home_.cache();
  options.environment = environment_for_build(folder);
  options.log = [this, &managed](std::string_view line) { add_log(managed, "info", line); };
  CO_TRY_DO(co_await builder::make_artifact(loop_, source, std::move(options), deadline));
  trash_.take(fetched_code(folder));
  co_return write_revision_files(folder, managed.stored.config, options_.config);
}

Task<void> ProcessPlatform::start(Managed& managed, spec::FunctionConfig config, Revision revision) {
  show_state(managed, FunctionState::waiting_for_resource_configuration);
  Revision previous = managed.stored.serving;
  co_await resumed(managed);
  auto started = co_await start_replicas(managed, config, revision);
  if (!started) {
    for (const std::string& line : managed.supervisor.last_words()) add_log(managed, "info", line);
    failed(managed, started.error(), revision);
    co_return;
  }
  // From here on the new revision serves; the one before is finishing what it had.
  managed.outcome = {};
  show_state(managed, good_state(config.spec));
  health_changed(managed);
  forget_old(managed, previous);
}

Task<Result<void>> ProcessPlatform::start_replicas(Managed& managed, const spec::FunctionConfig& config,
                                                   Revision revision) {
  int count = replica_count(config.spec);
  if (count == 0) {
    CO_TRY_DO(begin_serving(managed, config, revision, 0));
    co_await managed.supervisor.stop(Deadline::in(kDrainTime));
    managed.socket.reset();
    co_return Result<void>{};
  }
  bool listens = spec::http_trigger(config.spec) != nullptr;
  CO_TRY(Descriptor fresh, socket_for(managed, config));
  int socket = !listens ? -1 : fresh ? fresh.get() : managed.socket.get();
  int port = 0;
  if (listens) {
    CO_TRY(port, port_of(socket));
  }
  CO_TRY_DO(make_private_folder(home_.logs(id_of(config))));
  Launch how = launch(managed, config, revision, socket);
  Supervisor::Times limits = times(config);
  auto remember = [this, &managed, &config, revision, port] { return begin_serving(managed, config, revision, port); };
  Deadline ready = Deadline::in(limits.ready);
  CO_TRY_DO(co_await managed.supervisor.replace(std::move(how), count, limits, ready, std::move(remember)));
  if (fresh || !listens) managed.socket = std::move(fresh);
  co_return Result<void>{};
}

// On the disk before anything ends: who was told that a deploy went well finds it so after a crash.
Result<void> ProcessPlatform::begin_serving(Managed& managed, const spec::FunctionConfig& config, Revision revision,
                                            int port) {
  StoredFunction next = managed.stored;
  next.serving = revision;
  served_at(next, port);
  auto doing = std::exchange(next.config.status.state, good_state(config.spec));
  next.config.status.message.clear();
  TRY_DO(store_.begin_serving(next, config));
  managed.stored = std::move(next);
  managed.status().state = doing;  // until it is done
  return {};
}

Task<void> ProcessPlatform::stop(Managed& managed) {
  co_await resumed(managed);
  managed.socket.reset();
  co_await managed.supervisor.stop(Deadline::in(kDrainTime));
  served_at(managed.stored, 0);
  managed.outcome = {};
  set_state(managed, FunctionState::scaled_to_zero, "");
}

// The socket that the function is to have: the empty one when it keeps the one it has, or needs none.
Result<Descriptor> ProcessPlatform::socket_for(const Managed& managed, const spec::FunctionConfig& config) const {
  const spec::HttpTrigger* trigger = spec::http_trigger(config.spec);
  if (!trigger) return Descriptor{};
  auto has = managed.socket ? port_of(managed.socket.get()) : Result<int>{0};
  if (managed.socket && has && (trigger->port == 0 || trigger->port == *has)) return Descriptor{};
  Address address{.host = "127.0.0.1", .port = trigger->port};
  if (trigger->port != 0) {
    auto socket = Listener::open(address);
    if (socket) return socket;
    return std::unexpected(
        std::move(socket).error().in("the http trigger's port cannot be used; choose another, or leave it out"));
  }
  address.port = managed.stored.port;
  if (address.port != 0) {
    auto socket = Listener::open(address);
    if (socket) return socket;
    log::warn("A function's former port is taken; it gets another",
              {{"function", config.metadata.name}, {"port", address.port}});
  }
  address.port = 0;
  return Listener::open(address);
}

Launch ProcessPlatform::launch(const Managed& managed, const spec::FunctionConfig& config, Revision revision,
                               int socket) const {
  FunctionId id = id_of(managed.stored.config);
  std::string folder = home_.revision(id, revision);
  Launch launch;
  launch.command = {options_.processor,        "--config", folder + "/processor.yaml", "--platform-config",
                    folder + "/platform.yaml", "--code",   folder + "/code",           "--runtimes",
                    options_.runtimes};
  launch.environment = function_environment(options_.environment, config.spec.env);
  launch.directory = folder + "/code";
  launch.log_folder = home_.logs(id);
  launch.log_keeper = options_.log_keeper;
  launch.function = id.name.value();
  launch.listening_socket = socket;
  return launch;
}

Supervisor::Times ProcessPlatform::times(const spec::FunctionConfig& config) const {
  Supervisor::Times times;
  int seconds = config.spec.readiness_timeout_seconds;
  times.ready = seconds > 0 ? std::chrono::nanoseconds{std::chrono::seconds{seconds}}
                            : options_.config.function_readiness_timeout;
  times.drain = kDrainTime;
  for (const auto& [name, trigger] : config.spec.triggers)
    times.drain = std::max(times.drain, trigger.worker_termination_timeout + std::chrono::nanoseconds{5s});
  times.accept += spec::drain_pause(options_.config);
  return times;
}

// 0: nowhere, for now; the port stays reserved in our memory.
void ProcessPlatform::served_at(StoredFunction& stored, int port) {
  spec::FunctionStatus& status = stored.config.status;
  status.http_port = port;
  status.internal_invocation_urls.clear();
  status.external_invocation_urls.clear();
  if (port == 0) return;
  stored.port = port;
  status.internal_invocation_urls = {url(port)};
  status.external_invocation_urls = {url(port)};
}

void ProcessPlatform::add_log(Managed& managed, std::string_view level, std::string_view message) {
  add_log_line(managed.status().logs, level, message);
  if (observer_) observer_->build_logged(id_of(managed.stored.config), managed.status().logs.back());
}

// Not stored: after a restart nothing is being done any more.
void ProcessPlatform::show_state(Managed& managed, FunctionState state) {
  managed.status().state = state;
  managed.status().message.clear();
  changed(id_of(managed.stored.config));
}

void ProcessPlatform::set_state(Managed& managed, FunctionState state, std::string message) {
  managed.status().state = state;
  managed.status().message = std::move(message);
  auto saved = store_.save(managed.stored);
  // What is wanted of the function is stored already, so the next start of the platform comes to the same.
  if (!saved) log::error("A function's state could not be stored", {{"reason", saved.error().what}});
  changed(id_of(managed.stored.config));
}

// The older revision goes on; of the one that failed nothing is left but what it said.
void ProcessPlatform::failed(Managed& managed, const Error& error, Revision revision) {
  std::string message = error.what;
  bool old_serves = managed.supervisor.healthy() && managed.stored.serving != Revision{0};
  if (old_serves) message += kOldVersionServes;
  add_log(managed, "error", message);
  log::warn("A deploy failed", {{"function", managed.stored.config.metadata.name}, {"reason", message}});
  managed.outcome = fail(error.why == Why::timeout ? Why::timeout : Why::internal, message);
  if (revision != managed.stored.serving) trash_.take(home_.revision(id_of(managed.stored.config), revision));
  set_state(managed, FunctionState::error, std::move(message));
  forget_old(managed, Revision{0});
}

// `error` says how the last deploy went and stays; between ready and unhealthy the replicas decide. Nothing is stored:
// after a restart they decide anew.
void ProcessPlatform::health_changed(Managed& managed) {
  auto& status = managed.status();
  if (status.state != FunctionState::ready && status.state != FunctionState::unhealthy)
    return changed(id_of(managed.stored.config));  // its replicas

  bool healthy = managed.supervisor.healthy() || replica_count(managed.stored.config.spec) == 0;
  status.state = healthy ? FunctionState::ready : FunctionState::unhealthy;
  status.message = healthy ? "" : managed.supervisor.complaint();
  changed(id_of(managed.stored.config));
  if (!healthy) forget_old(managed, Revision{0});
}

// Removes what no replica needs: folders of revisions but the one that serves and the one before it, whose replicas may
// be finishing still, and logs but those of replicas that run and the last ones before them.
void ProcessPlatform::forget_old(Managed& managed, Revision previous) {
  FunctionId id = id_of(managed.stored.config);
  std::error_code error;
  std::vector<fs::path> unused;
  Revision serving = managed.stored.serving;
  if (previous != Revision{0}) {
    for (fs::directory_iterator entry(home_.function(id), error), end; !error && entry != end; entry.increment(error)) {
      std::string name = entry->path().filename().string();
      if (name != std::to_string(serving.value()) && name != std::to_string(previous.value()))
        unused.push_back(entry->path());
    }
  }
  std::vector<std::pair<fs::file_time_type, fs::path>> logs;
  for (fs::directory_iterator entry(home_.logs(id), error), end; !error && entry != end; entry.increment(error)) {
    std::error_code none;
    if (entry->path().extension() == ".log" && !managed.supervisor.runs(ReplicaName{entry->path().stem().string()}))
      logs.emplace_back(entry->last_write_time(none), entry->path());
  }
  std::ranges::sort(logs, std::greater{}, [](const auto& each) { return each.first; });
  for (std::size_t i = kOldLogsKept; i < logs.size(); ++i) {
    unused.push_back(logs[i].second);
    unused.emplace_back(older_log(logs[i].second.string()));
  }
  for (const fs::path& path : unused) trash_.take(path.string());
}

}  // namespace nuclio::platform::process
