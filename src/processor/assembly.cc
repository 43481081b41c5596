// SPDX-License-Identifier: Apache-2.0
#include "processor/assembly.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "loop/group.h"
#include "loop/listener.h"
#include "loop/wait_list.h"
#include "processor/triggers/make.h"
#include "processor/worker_factory.h"
#include "spec/trigger.h"

namespace nuclio::processor {
namespace {

constexpr std::string_view kHttpAddress = ":8080";
constexpr std::string_view kWebAdminAddress = ":8081";
constexpr std::string_view kHealthAddress = ":8082";
// Address space for the events that are with workers; memory is taken as they need it. When it is used up, events go
// over sockets.
constexpr Bytes kEventArena{256 << 20};

std::string or_default(const std::string& address, std::string_view otherwise) {
  return address.empty() ? std::string{otherwise} : address;
}

MetricsIdentity identity_of(const Configuration& configuration) {
  const spec::Metadata& metadata = configuration.function.metadata;
  auto listener = metrics_listener(configuration.platform.metrics);
  auto project = metadata.labels.find(std::string{spec::kProjectLabel});
  return {instance_name(listener ? listener->instance_name : "", configuration.variable("NUCLIO_FUNCTION_INSTANCE"),
                        metadata.namespace_name, metadata.name),
          metadata.namespace_name, metadata.name,
          project == metadata.labels.end() ? std::string{spec::kDefaultProject} : project->second};
}

// Whose workers a trigger's events use. The two kinds of names are kept apart.
std::string allocator_of(const spec::Trigger& trigger) {
  if (trigger.worker_allocator_name.empty()) return "trigger " + trigger.name;
  return "allocator " + trigger.worker_allocator_name;
}

WorkerLimits limits_of(const spec::ProcessorConfig& settings) {
  return {.memory_bytes = settings.worker_memory_limit.count,
          .descriptors = static_cast<std::uint64_t>(settings.worker_descriptor_limit)};
}

ExposeErrors expose_errors(const spec::PlatformConfig& platform) {
  bool expose = platform.processor.expose_errors.value_or(platform.kind != spec::PlatformKind::kube);
  return expose ? ExposeErrors::yes : ExposeErrors::no;
}

// Kinds that are read and kept, and that no code serves yet.
bool is_inert(const spec::Trigger& trigger) {
  return std::visit([]<class Kind>(const Kind&) { return requires { Kind::kInert; }; }, trigger.kind);
}

Task<http::Response> say_ok() { co_return http::Response::text(200, "ok"); }

Task<void> start_pool(WorkerPool& pool, std::optional<Error>& error, std::size_t& missing, WaitList& changed) {
  auto started = co_await pool.start();
  if (!started && !error) error = std::move(started).error();
  --missing;
  changed.notify_all();
}

}  // namespace

struct Assembly::Port {
  Port(std::string what_for, Loop& loop, const http::Limits& limits, http::Handler& handler)
      : name(std::move(what_for)), server(loop, limits, handler) {}
  std::string name;
  http::Server server;
};

Assembly::Assembly(Loop& loop, const Configuration& configuration, Descriptor listener)
    : loop_(loop),
      configuration_(configuration),
      listener_(std::move(listener)),
      clock_(loop),
      function_log_(configuration.function.metadata.name, function_log_level(configuration)),
      health_([this] { return obstacle(); }),
      metrics_(identity_of(configuration)),
      web_admin_(configuration.function, metrics_),
      metrics_routes_(processor::metrics_routes(metrics_)),
      probe_routes_({{"GET", "/__internal/health", [](http::Request&, const http::PathParams&) { return say_ok(); },
                      "Whether the processor runs."}}),
      processor_(loop, metrics_, configuration.function.spec.event_timeout) {}

Assembly::~Assembly() {
  // Who uses goes before what is used.
  ports_.clear();
  triggers_.clear();
  pools_.clear();
}

Task<Result<Addresses>> Assembly::start() {
  // Liveness is asked for while a worker still loads its model, so the ports open first.
  CO_TRY_DO(open_ports());
  CO_TRY_DO(co_await start_pools());
  CO_TRY_DO(co_await start_triggers());
  health_.set_ready();

  Addresses addresses;
  for (const auto& trigger : triggers_)
    if (!trigger->address().empty()) addresses.emplace_back(trigger->kind(), trigger->address());
  for (const auto& port : ports_) addresses.emplace_back(port->name, port->server.addresses().front().text());
  co_return addresses;
}

Result<void> Assembly::open_ports() {
  const spec::PlatformConfig& platform = configuration_.platform;
  if (platform.health_check.enabled)
    TRY_DO(open_port("health", or_default(platform.health_check.listen_address, kHealthAddress), health_));
  if (platform.web_admin.enabled)
    TRY_DO(open_port("webAdmin", or_default(platform.web_admin.listen_address, kWebAdminAddress), web_admin_));
  if (auto metrics = metrics_listener(platform.metrics))
    TRY_DO(open_port("metrics", metrics->address, metrics_routes_));
  return {};
}

Result<void> Assembly::open_port(std::string name, const std::string& address, http::Handler& handler) {
  auto where = parse_address(address);
  if (!where) return fail(std::move(where).error().in("the " + name + " address of the platform's configuration"));
  auto listener = Listener::listen(loop_, *where);
  if (!listener) return fail(std::move(listener).error().in("opening the " + name + " port"));
  ports_.push_back(std::make_unique<Port>(std::move(name), loop_, http::Limits{}, handler));
  ports_.back()->server.serve(std::move(*listener));
  return {};
}

// Without one the workers are reached over sockets.
Result<void> Assembly::make_event_arena() {
  const wire::Runtime& runtime = configuration_.runtime;
  if (configuration_.platform.processor.worker_transport == spec::WorkerTransport::socket) return {};
  if (!wire::speaks(runtime, "ring")) return {};
  if (runtime.protocol == wire::Protocol::cpp_object) {
    TRY(bool own_process, isolated(configuration_.function));
    if (!own_process) return {};
  }
  auto arena = wire::EventArena::create(loop_, kEventArena);
  if (arena) {
    event_arena_ = std::move(*arena);
  } else {
    log::warn("there is no shared memory for workers, which get their events over sockets",
              {{"reason", arena.error().what}});
  }
  return {};
}

// Makes a pool for each trigger, or for those together that share an allocator's name, and starts all of them at once.
Task<Result<void>> Assembly::start_pools() {
  RuntimeSetup setup{.runtime = configuration_.runtime,
                     .function = configuration_.function,
                     .code = configuration_.code,
                     .platform = std::string{schema::name_of(configuration_.platform.kind)},
                     .environment = configuration_.environment,
                     .limits = limits_of(configuration_.platform.processor)};
  CO_TRY_DO(make_event_arena());
  auto factory = make_worker_factory(loop_, function_log_, std::move(setup), event_arena_.get());
  if (!factory) co_return fail(std::move(factory).error());
  factory_ = std::move(*factory);

  std::map<std::string, PoolOptions> wanted;
  for (const auto& [key, trigger] : configuration_.function.spec.triggers) {
    if (trigger.disabled || is_inert(trigger)) continue;
    PoolOptions& options = wanted[allocator_of(trigger)];
    if (options.trigger_name.empty()) {
      options.trigger_kind = spec::kind_name(trigger);
      options.trigger_name = trigger.name;
      options.workers = 0;
      options.termination_timeout = {};
    }
    options.workers = std::max(options.workers, trigger.num_workers);
    options.termination_timeout = std::max(options.termination_timeout, trigger.worker_termination_timeout);
  }
  for (auto& [name, options] : wanted) {
    options.queue_limit = static_cast<std::size_t>(configuration_.platform.processor.queue_limit) * options.workers;
    pools_[name] = std::make_unique<WorkerPool>(loop_, *factory_, std::move(options));
  }

  std::optional<Error> error;
  std::size_t missing = pools_.size();
  WaitList changed{loop_};
  Group starting{loop_};
  for (const auto& [name, pool] : pools_) starting.spawn(start_pool(*pool, error, missing, changed));
  while (missing > 0 && !error) (void)co_await changed.wait();
  if (error) co_return fail(std::move(*error));
  co_return Result<void>{};
}

Task<Result<void>> Assembly::start_triggers() {
  bool serves_http = false;
  for (const auto& [key, trigger] : configuration_.function.spec.triggers) {
    if (trigger.disabled) continue;
    if (is_inert(trigger)) {
      log::warn(fmt::format("trigger {} brings no events: this version has no triggers of kind {}", trigger.name,
                            spec::kind_name(trigger)));
      continue;
    }
    sources_.push_back(std::make_unique<Source>(std::string{spec::kind_name(trigger)}, trigger.name,
                                                *pools_.at(allocator_of(trigger)),
                                                spec::worker_availability_timeout(trigger)));
    metrics_.add(*sources_.back());
    bool listens = spec::is_http(trigger);
    serves_http |= listens;
    TriggerContext context{.loop = loop_,
                           .clock = clock_,
                           .handler = processor_,
                           .source = *sources_.back(),
                           .metrics = metrics_,
                           .settings = configuration_.platform.processor,
                           .expose_errors = expose_errors(configuration_.platform),
                           .listener = listens ? std::move(listener_) : Descriptor{},
                           .body_pool = event_arena_.get()};
    auto made = make_trigger(trigger, std::move(context));
    if (!made) co_return fail(std::move(made).error());
    triggers_.push_back(std::move(*made));
  }
  if (!serves_http) CO_TRY_DO(answer_probes());
  for (const auto& trigger : triggers_) CO_TRY_DO(co_await trigger->start());
  co_return Result<void>{};
}

// Kubernetes and the docker platform probe the http port of every function, also of one that serves no http.
Result<void> Assembly::answer_probes() {
  if (!listener_ && configuration_.platform.kind == spec::PlatformKind::process) return {};
  auto listener =
      listener_ ? Listener::adopt(loop_, std::move(listener_)) : Listener::listen(loop_, *parse_address(kHttpAddress));
  if (!listener) return fail(std::move(listener).error().in("opening the port for probes"));
  ports_.push_back(std::make_unique<Port>("http", loop_, http::Limits{}, probe_routes_));
  ports_.back()->server.serve(std::move(*listener));
  return {};
}

std::optional<std::string> Assembly::obstacle() const {
  for (const auto& [name, pool] : pools_)
    if (pool->alive() == 0) return "no worker of " + name + " runs; they are being restarted";
  return std::nullopt;
}

Task<void> Assembly::drain(Deadline deadline) {
  health_.set_not_ready("the processor is stopping");
  {
    Group drained{loop_};
    for (const auto& trigger : triggers_) drained.spawn(trigger->drain(deadline));
    (void)co_await drained.empty(deadline);
  }
  triggers_.clear();  // from here on there are no events
  {
    Group wound_down{loop_};
    for (const auto& [name, pool] : pools_) wound_down.spawn(pool->wind_down(deadline));
    (void)co_await wound_down.empty(deadline);
  }
}

}  // namespace nuclio::processor
