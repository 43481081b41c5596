// SPDX-License-Identifier: Apache-2.0
#include "processor/lane.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "loop/group.h"
#include "loop/wait_list.h"
#include "processor/triggers/make.h"
#include "processor/worker_factory.h"
#include "spec/trigger.h"

namespace nuclio::processor {
namespace {

// Address space for the events that are with workers; memory is taken as they need it. When it is used up, events go
// over sockets.
constexpr Bytes kEventArena{256 << 20};

WorkerLimits limits_of(const spec::ProcessorConfig& settings) {
  return {.memory_bytes = settings.worker_memory_limit.count,
          .descriptors = static_cast<std::uint64_t>(settings.worker_descriptor_limit)};
}

ExposeErrors expose_errors(const spec::PlatformConfig& platform) {
  bool expose = platform.processor.expose_errors.value_or(platform.kind != spec::PlatformKind::kube);
  return expose ? ExposeErrors::yes : ExposeErrors::no;
}

Task<void> start_pool(WorkerPool& pool, std::optional<Error>& error, std::size_t& missing, WaitList& changed) {
  auto started = co_await pool.start();
  if (!started && !error) error = std::move(started).error();
  --missing;
  changed.notify_all();
}

// The part of a pool's workers that lane `number` has: all differ by one at most.
struct Share {
  int first;
  int count;
};
Share share_of(const SharedByLanes::Pool& pool, std::size_t number) {
  auto lanes = static_cast<int>(pool.lanes);
  auto lane = static_cast<int>(number);
  int all = pool.options.workers;
  if (lane >= lanes) return {all, 0};
  int rest = all % lanes;  // the first lanes have one more
  return {lane * (all / lanes) + std::min(lane, rest), all / lanes + (lane < rest ? 1 : 0)};
}

}  // namespace

std::string pool_of(const spec::Trigger& trigger) {
  // The two kinds of names are kept apart.
  if (trigger.worker_allocator_name.empty()) return "trigger " + trigger.name;
  return "allocator " + trigger.worker_allocator_name;
}

bool is_inert(const spec::Trigger& trigger) {
  return std::visit([]<class Kind>(const Kind&) { return requires { Kind::kInert; }; }, trigger.kind);
}

std::map<std::string, SharedByLanes::Pool> plan_pools(const Configuration& configuration) {
  const spec::ProcessorConfig& settings = configuration.platform.processor;
  std::map<std::string, SharedByLanes::Pool> pools;
  for (const auto& [key, trigger] : configuration.function.spec.triggers) {
    if (trigger.disabled || is_inert(trigger)) continue;
    auto [found, is_new] = pools.try_emplace(pool_of(trigger));
    SharedByLanes::Pool& pool = found->second;
    PoolOptions& options = pool.options;
    if (is_new) {
      options.trigger_kind = spec::kind_name(trigger);
      options.trigger_name = trigger.name;
      options.workers = 0;
      options.termination_timeout = {};
    }
    options.workers = std::max(options.workers, trigger.num_workers);
    options.termination_timeout = std::max(options.termination_timeout, trigger.worker_termination_timeout);
    if (spec::is_http(trigger)) pool.lanes = static_cast<std::size_t>(settings.io_threads);
  }
  for (auto& [name, pool] : pools) {
    pool.lanes = std::min(pool.lanes, static_cast<std::size_t>(pool.options.workers));
    pool.options.all_workers = pool.options.workers;
    if (pool.lanes > 1) pool.peers = std::make_unique<PoolPeers>(pool.lanes);
  }
  return pools;
}

Lane::Lane(Loop& loop, SharedByLanes& shared, std::size_t number)
    : loop_(loop),
      shared_(shared),
      configuration_(shared.configuration),
      number_(number),
      clock_(loop),
      processor_(loop, metrics_, configuration_.function.spec.event_timeout) {}

// Who uses goes before what is used.
Lane::~Lane() {
  triggers_.clear();
  pools_.clear();
}

// Without one the workers are reached over sockets.
Result<void> Lane::make_event_arena() {
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

Task<Result<void>> Lane::start_pools() {
  RuntimeSetup setup{.runtime = configuration_.runtime,
                     .function = configuration_.function,
                     .code = configuration_.code,
                     .platform = std::string{schema::name_of(configuration_.platform.kind)},
                     .environment = configuration_.environment,
                     .limits = limits_of(configuration_.platform.processor)};
  CO_TRY_DO(make_event_arena());
  auto factory = make_worker_factory(loop_, shared_.function_log, std::move(setup), event_arena_.get());
  if (!factory) co_return fail(std::move(factory).error());
  factory_ = std::move(*factory);

  for (const auto& [name, pool] : shared_.pools) {
    Share share = share_of(pool, number_);
    if (share.count == 0) continue;
    PoolOptions options = pool.options;
    options.workers = share.count;
    options.first_worker = share.first;
    options.queue_limit =
        static_cast<std::size_t>(configuration_.platform.processor.queue_limit) * static_cast<std::size_t>(share.count);
    options.peers = pool.peers.get();
    options.number_of_peer = number_;
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

bool Lane::has(const spec::Trigger& trigger) const {
  if (trigger.disabled || is_inert(trigger)) return false;
  return number_ == 0 || (spec::is_http(trigger) && pools_.contains(pool_of(trigger)));
}

Task<Result<void>> Lane::start_triggers(Descriptor& listener) {
  for (const auto& [key, trigger] : configuration_.function.spec.triggers) {
    if (!has(trigger)) continue;
    sources_.push_back(std::make_unique<Source>(std::string{spec::kind_name(trigger)}, trigger.name,
                                                *pools_.at(pool_of(trigger)),
                                                spec::worker_availability_timeout(trigger)));
    metrics_.add(*sources_.back());
    TriggerContext context{.loop = loop_,
                           .clock = clock_,
                           .handler = processor_,
                           .source = *sources_.back(),
                           .metrics = metrics_,
                           .settings = configuration_.platform.processor,
                           .drain_pause = spec::drain_pause(configuration_.platform),
                           .expose_errors = expose_errors(configuration_.platform),
                           .listener = spec::is_http(trigger) ? std::exchange(listener, Descriptor{}) : Descriptor{},
                           .body_pool = event_arena_.get(),
                           .standing_by = &shared_.standing_by[trigger.name],
                           .stands_by = number_ > 0};
    auto made = make_trigger(trigger, std::move(context));
    if (!made) co_return fail(std::move(made).error());
    triggers_.push_back(std::move(*made));
  }
  for (const auto& trigger : triggers_) CO_TRY_DO(co_await trigger->start());
  co_return Result<void>{};
}

std::vector<std::pair<std::string, std::string>> Lane::addresses() const {
  std::vector<std::pair<std::string, std::string>> addresses;
  for (const auto& trigger : triggers_)
    if (!trigger->address().empty()) addresses.emplace_back(trigger->kind(), trigger->address());
  return addresses;
}

Task<void> Lane::stop_accepting(Deadline deadline) {
  Group stopped{loop_};
  for (const auto& trigger : triggers_) stopped.spawn(trigger->stop_accepting(deadline));
  (void)co_await stopped.empty();
}

Task<void> Lane::drain(Deadline deadline) {
  Group drained{loop_};
  for (const auto& trigger : triggers_) drained.spawn(trigger->drain(deadline));
  (void)co_await drained.empty(deadline);
}

Task<void> Lane::wind_down(Deadline deadline) {
  Group wound_down{loop_};
  for (const auto& [name, pool] : pools_) wound_down.spawn(pool->wind_down(deadline));
  (void)co_await wound_down.empty(deadline);
}

Lane::Report Lane::report() const {
  Report report{metrics_.report(), {}};
  for (const auto& [name, pool] : pools_) report.alive[name] = pool->alive();
  return report;
}

}  // namespace nuclio::processor
