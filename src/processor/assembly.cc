// SPDX-License-Identifier: Apache-2.0
#include "processor/assembly.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "loop/group.h"
#include "loop/listener.h"
#include "loop/wait_list.h"
#include "processor/exposition.h"
#include "spec/trigger.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kHttpAddress = ":8080";
constexpr std::string_view kWebAdminAddress = ":8081";
constexpr std::string_view kHealthAddress = ":8082";
// For a lane to report. One whose loop is held up by a handler is shown as it was last.
constexpr std::chrono::milliseconds kReportTime = 500ms;
// How much later than a deadline, which it keeps itself, a lane may say that it is done, and for its thread to end. One
// that needs longer is lost in a handler that does not return.
constexpr std::chrono::milliseconds kEndTime = 500ms;

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

Task<http::Response> say_ok() { co_return http::Response::text(200, "ok"); }

Task<bool> truth(Task<void> task) {
  co_await task;
  co_return true;
}

Task<Result<void>> start_triggers_of_other(Lane& lane) {
  Descriptor none;
  co_return co_await lane.start_triggers(none);
}

Task<Lane::Report> report_of(const std::unique_ptr<Lane>& lane) { co_return lane ? lane->report() : Lane::Report{}; }

}  // namespace

struct Assembly::Port {
  Port(std::string what_for, Loop& loop, const http::Limits& limits, http::Handler& handler)
      : name(std::move(what_for)), server(loop, limits, handler) {}
  std::string name;
  http::Server server;
};

struct Assembly::Other {
  explicit Other(std::size_t lane_number) : number(lane_number), thread("lane " + std::to_string(lane_number)) {}
  ~Other() { (void)end(Deadline::never()); }
  bool end(Deadline deadline) {
    return thread.end(deadline, [this] { lane.reset(); });
  }
  std::size_t number;
  std::unique_ptr<Lane> lane;  // made, used and destroyed on the thread
  Lane::Report reported;       // last
  bool lost = false;           // in a handler that does not return
  LoopThread thread;
};

Assembly::Assembly(Loop& loop, const Configuration& configuration, Descriptor listener)
    : loop_(loop),
      configuration_(configuration),
      listener_(std::move(listener)),
      health_([this] { return obstacle(); }),
      web_admin_(configuration.function, [this] { return trigger_reports(); }),
      memory_(loop),
      metrics_routes_(metrics_routes(
          identity_of(configuration), [this] { return trigger_reports(); }, [this] { return memory_.measure(); })),
      probe_routes_({{"GET", "/__internal/health", [](http::Request&, const http::PathParams&) { return say_ok(); },
                      "Whether the processor runs."}}),
      shared_{.configuration = configuration,
              .function_log = {configuration.function.metadata.name, function_log_level(configuration)},
              .pools = plan_pools(configuration),
              .standing_by = {}},
      lane_(loop, shared_, 0) {}

// Who uses goes before what is used.
Assembly::~Assembly() {
  ports_.clear();
  lane_.end_triggers();
  others_.clear();
}

Task<Result<Addresses>> Assembly::start() {
  // Liveness is asked for while a worker still loads its model, so the ports open first.
  CO_TRY_DO(open_ports());
  CO_TRY_DO(co_await start_lanes());
  CO_TRY_DO(co_await start_triggers());
  (void)co_await report();  // so that each lane is known
  health_.set_ready();

  Addresses addresses = lane_.addresses();
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

// Starts the workers of all lanes at once.
Task<Result<void>> Assembly::start_lanes() {
  std::size_t lanes = 1;
  for (const auto& [name, pool] : shared_.pools) lanes = std::max(lanes, pool.lanes);
  for (std::size_t number = 1; number < lanes; ++number) others_.push_back(std::make_unique<Other>(number));

  std::optional<Error> error;
  std::size_t missing = lanes;
  WaitList changed{loop_};
  auto note = [&](Result<void> started) {
    if (!started && !error) error = std::move(started).error();
    --missing;
    changed.notify_all();
  };
  auto start_first = [](Lane& lane, auto& note) -> Task<void> { note(co_await lane.start_pools()); };
  auto start_other = [](Loop& here, SharedByLanes& shared, Other& other, auto& note) -> Task<void> {
    auto started = co_await other.thread.run(here, [&shared, &other] {
      other.lane = std::make_unique<Lane>(other.thread.loop(), shared, other.number);
      return other.lane->start_pools();
    });
    note(std::move(*started));
  };
  Group starting{loop_};
  starting.spawn(start_first(lane_, note));
  for (const auto& other : others_) starting.spawn(start_other(loop_, shared_, *other, note));
  while (missing > 0 && !error) (void)co_await changed.wait();
  if (error) co_return fail(std::move(*error));
  co_return Result<void>{};
}

// The first lane last: it is the one that has others accept connections, too.
Task<Result<void>> Assembly::start_triggers() {
  for (const auto& other : others_) {
    auto started =
        co_await other->thread.run(loop_, [lane = other->lane.get()] { return start_triggers_of_other(*lane); });
    if (!*started) co_return fail(std::move(*started).error());
  }
  bool serves_http = false;
  for (const auto& [key, trigger] : configuration_.function.spec.triggers) {
    if (trigger.disabled) continue;
    if (is_inert(trigger))
      log::warn(fmt::format("trigger {} brings no events: this version has no triggers of kind {}", trigger.name,
                            spec::kind_name(trigger)));
    serves_http |= spec::is_http(trigger);
  }
  if (!serves_http) CO_TRY_DO(answer_probes());
  co_return co_await lane_.start_triggers(listener_);
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

// Runs what(lane), a Task<void> that ends by the deadline, in each lane on its thread, but for those that are lost.
template <class Do>
Task<void> Assembly::in_all_lanes(Do what, Deadline deadline) {
  Deadline until = Deadline::at(std::max(deadline.when(), loop_.now()) + kEndTime);
  auto there = [](Loop& here, Other& other, Do do_there, Deadline patience) -> Task<void> {
    auto done = co_await other.thread.run(here, [do_there, &other] { return truth(do_there(*other.lane)); }, patience);
    other.lost = !done;
  };
  Group running{loop_};
  running.spawn(what(lane_));
  for (const auto& other : others_)
    if (!other->lost) running.spawn(there(loop_, *other, what, until));
  (void)co_await running.empty();
}

Task<Lane::Report> Assembly::report() {
  Lane::Report all = lane_.report();
  Deadline deadline = Deadline::in(kReportTime);
  for (const auto& other : others_) {
    auto reported =
        co_await other->thread.run(loop_, [other = other.get()] { return report_of(other->lane); }, deadline);
    if (reported) other->reported = std::move(*reported);
    add_up(all.triggers, other->reported.triggers);
    for (const auto& [name, alive] : other->reported.alive) all.alive[name] += alive;
  }
  co_return all;
}

Task<TriggerReports> Assembly::trigger_reports() {
  Lane::Report all = co_await report();
  co_return std::move(all.triggers);
}

Task<std::optional<std::string>> Assembly::obstacle() {
  Lane::Report all = co_await report();
  for (const auto& [name, alive] : all.alive)
    if (alive == 0) co_return "no worker of " + name + " runs; they are being restarted";
  co_return std::nullopt;
}

Task<void> Assembly::stop_accepting(Deadline deadline) {
  health_.set_not_ready("the processor is stopping");
  co_await in_all_lanes([deadline](Lane& lane) { return lane.stop_accepting(deadline); }, deadline);
}

Task<void> Assembly::drain(Deadline deadline) {
  co_await in_all_lanes([deadline](Lane& lane) { return lane.drain(deadline); }, deadline);
  // From here on there are no events.
  auto end_triggers = [](Lane& lane) -> Task<void> {
    lane.end_triggers();
    co_return;
  };
  co_await in_all_lanes(end_triggers, deadline);
  co_await in_all_lanes([deadline](Lane& lane) { return lane.wind_down(deadline); }, deadline);
  co_await end_threads();
}

Task<void> Assembly::end_threads() {
  Deadline deadline = Deadline::in(kEndTime);
  for (const auto& other : others_) {
    other->lost = other->lost || !other->end(deadline);
    if (!other->lost) continue;
    lost_a_thread_ = true;
    log::warn("a thread does not end, since a handler that runs in it does not return",
              {{"lane", static_cast<int>(other->number)}});
  }
  const bool measured = co_await memory_.finished(deadline);
  lost_a_thread_ = lost_a_thread_ || !measured;
  // What they have sent here is taken while those whom it is for are there.
  bool taken = false;
  WaitList changed{loop_};
  loop_.post([&] {
    taken = true;
    changed.notify_all();
  });
  while (!taken) (void)co_await changed.wait();
}

}  // namespace nuclio::processor
