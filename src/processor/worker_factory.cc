// SPDX-License-Identifier: Apache-2.0
#include "processor/worker_factory.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <utility>

#include "base/log.h"
#include "loop/child.h"
#include "loop/stream.h"
#include "processor/child_worker.h"
#include "processor/native_worker.h"
#include "processor/warm_parent.h"
#include "wire/port.h"

namespace nuclio::processor {
namespace {

// From the start of its process to its readiness. Imports and init_context may load a model; more than this is a hang.
constexpr std::chrono::minutes kStartTime{2};

// Both ends of what a worker is to be reached through.
struct Ends {
  std::unique_ptr<wire::Port> port;
  Descriptor socket;  // the worker's, as all that follows
  std::optional<wire::RingDescriptors> ring;

  std::vector<int> descriptors() const {
    std::vector<int> all{socket.get()};
    if (ring)
      all.insert(all.end(),
                 {ring->channel.get(), ring->events.get(), ring->wake_worker.get(), ring->wake_processor.get()});
    return all;
  }
};

class ChildWorkerFactory final : public WorkerFactory {
 public:
  static Result<std::unique_ptr<WorkerFactory>> make(Loop& loop, const FunctionLog& log, RuntimeSetup setup,
                                                     wire::EventArena* arena) {
    std::unique_ptr<ChildWorkerFactory> factory{new ChildWorkerFactory(loop, log, std::move(setup), arena)};
    if (!factory->setup_.runtime.parent.empty()) {
      TRY(Launch launch, parent_launch(factory->setup_));
      factory->parent_.emplace(loop, std::move(launch));
    }
    return factory;
  }

  Task<Result<std::unique_ptr<Worker>>> start(WorkerIdentity identity) override {
    Deadline deadline = Deadline::in(kStartTime);
    bool warm = false;
    if (parent_) {
      CO_TRY(warm, co_await parent_->ready(deadline));
    }
    // A parent that cannot fork has none of what a ring takes either.
    auto ends = make_ends(parent_ && !warm ? Transport::socket : Transport::ring);
    if (!ends) co_return fail(std::move(ends).error());
    WorkerLimits limits = setup_.limits;
    auto child =
        warm ? co_await parent_->fork(identity, limits, ends->descriptors(), deadline) : spawn(identity, *ends, limits);
    if (!child)
      co_return fail(std::move(child).error().in(fmt::format("worker {} cannot be started", identity.index.value())));
    // Ours are not the worker's: it shall see the end when we close them, and we when it does.
    ends->socket.reset();
    ends->ring.reset();
    co_return co_await ChildWorker::start(loop_, log_, std::move(*child), std::move(ends->port), std::move(identity),
                                          deadline);
  }

 private:
  ChildWorkerFactory(Loop& loop, const FunctionLog& log, RuntimeSetup setup, wire::EventArena* arena)
      : loop_(loop), log_(log), setup_(std::move(setup)), arena_(arena) {
    if (!wire::speaks(setup_.runtime, "ring")) arena_ = nullptr;
  }

  Result<Ends> make_ends(Transport best) {
    TRY(auto sockets, socket_pair());
    Ends ends;
    ends.socket = std::move(sockets.second);
    if (arena_ && best == Transport::ring) {
      TRY(auto made, wire::ring_port(loop_, std::move(sockets.first), *arena_));
      ends.port = std::move(made.first);
      ends.ring = std::move(made.second);
    } else {
      ends.port = wire::socket_port(loop_, std::move(sockets.first));
    }
    return ends;
  }

  Result<Child> spawn(const WorkerIdentity& identity, const Ends& ends, const WorkerLimits& limits) {
    TRY(Launch launch, worker_launch(setup_, identity, ends.ring ? Transport::ring : Transport::socket));
    ChildOptions options;
    options.argv = std::move(launch.argv);
    options.env = std::move(launch.env);
    options.directory = std::move(launch.directory);
    int number = Launch::kSocket;
    for (int ours : ends.descriptors()) options.descriptors.push_back({ours, number++});
    options.descriptor_limit = limits.descriptors;
    options.memory_limit = limits.memory_bytes;
    if (options.memory_limit > 0 && ends.ring)
      options.memory_limit += arena_->size().count + wire::ring_channel_size().count;
    return Child::spawn(loop_, options);
  }

  Loop& loop_;
  const FunctionLog& log_;
  RuntimeSetup setup_;
  wire::EventArena* arena_;  // null: over sockets
  std::optional<WarmParent> parent_;
};

class NativeWorkerFactory final : public WorkerFactory {
 public:
  NativeWorkerFactory(Loop& loop, const FunctionLog& log, NativeModule module, const spec::FunctionConfig& function)
      : loop_(loop), log_(log), module_(module), handler_(function.spec.handler), function_(function.metadata.name) {}
  Task<Result<std::unique_ptr<Worker>>> start(WorkerIdentity identity) override {
    return NativeWorker::start(loop_, module_, log_, handler_, function_, std::move(identity),
                               Deadline::in(kStartTime));
  }

 private:
  Loop& loop_;
  const FunctionLog& log_;
  NativeModule module_;
  std::string handler_;
  std::string function_;
};

// What the commands of a runtime are made from, whoever is started.
auto common_values(const RuntimeSetup& setup) {
  auto values = wire::placeholders(setup.runtime, setup.code);
  values["fd"] = std::to_string(Launch::kSocket);
  values["handler"] = setup.function.spec.handler;
  values["version"] = wire::split_runtime(setup.function.spec.runtime).version;
  values["function"] = setup.function.metadata.name;
  values["namespace"] = setup.function.metadata.namespace_name;
  values["platform"] = setup.platform;
  // All lines come here, whatever the log takes: a caller may have asked for them (X-Nuclio-Log-Level).
  values["log_level"] = log::name(log::Level::debug);
  return values;
}

}  // namespace

Result<bool> isolated(const spec::FunctionConfig& function) {
  const auto* isolation = function.spec.runtime_attributes.if_contains("isolation");
  if (!isolation || isolation->is_null()) return false;
  if (isolation->is_string() && isolation->get_string() == "process") return true;
  if (isolation->is_string() && isolation->get_string() == "none") return false;
  return fail(Why::invalid, "spec.runtimeAttributes.isolation must be \"process\" or \"none\", is " +
                                boost::json::serialize(*isolation));
}

Result<bool> preloaded(const spec::FunctionConfig& function) {
  const auto* preload = function.spec.runtime_attributes.if_contains("preload");
  if (!preload || preload->is_null()) return false;
  if (preload->is_bool()) return preload->get_bool();
  return fail(Why::invalid,
              "spec.runtimeAttributes.preload must be true or false, is " + boost::json::serialize(*preload));
}

std::vector<std::string> worker_environment(const RuntimeSetup& setup) {
  const spec::FunctionSpec& spec = setup.function.spec;
  std::map<std::string, std::string, std::less<>> values;
  for (const std::string& entry : setup.environment) {
    std::size_t equals = entry.find('=');
    if (equals != std::string::npos) values[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  for (const auto& [name, value] : setup.runtime.env) values[name] = value;
  values["NUCLIO_FUNCTION_NAME"] = setup.function.metadata.name;
  values["NUCLIO_FUNCTION_DESCRIPTION"] = spec.description;
  values["NUCLIO_FUNCTION_VERSION"] = std::to_string(spec.version);
  values["NUCLIO_FUNCTION_HANDLER"] = spec.handler;
  values["NUCLIO_HANDLER"] = spec.handler;
  for (const spec::EnvironmentVariable& variable : spec.env)
    if (!variable.value_from) values[variable.name] = variable.value;
  std::vector<std::string> environment;
  environment.reserve(values.size());
  for (const auto& [name, value] : values) environment.push_back(name + "=" + value);
  return environment;
}

Result<Launch> worker_launch(const RuntimeSetup& setup, const WorkerIdentity& identity, Transport transport) {
  auto values = common_values(setup);
  values["trigger_kind"] = identity.trigger_kind;
  values["trigger_name"] = identity.trigger_name;
  values["worker"] = std::to_string(identity.index.value());
  int ring = Launch::kRing;
  values["ring"] =
      transport == Transport::ring ? fmt::format("{},{},{},{}", ring, ring + 1, ring + 2, ring + 3) : std::string{};
  TRY(auto argv, wire::expand(setup.runtime.worker, values));
  return Launch{std::move(argv), worker_environment(setup), setup.code};
}

Result<Launch> parent_launch(const RuntimeSetup& setup) {
  auto values = common_values(setup);
  TRY(bool preload, preloaded(setup.function));
  values["preload"] = preload ? "true" : "false";
  TRY(auto argv, wire::expand(setup.runtime.parent, values));
  return Launch{std::move(argv), worker_environment(setup), setup.code};
}

Result<std::unique_ptr<WorkerFactory>> make_worker_factory(Loop& loop, const FunctionLog& log, RuntimeSetup setup,
                                                           wire::EventArena* arena) {
  using wire::Protocol;
  if (setup.runtime.protocol == Protocol::nuclio_1)
    return fail(Why::invalid, "runtime " + setup.runtime.name +
                                  " speaks the protocol nuclio-1, which this processor does not; it has nuclio-wire-1 "
                                  "and cpp-object");
  if (setup.runtime.protocol == Protocol::cpp_object) {
    TRY(bool own_process, isolated(setup.function));
    if (!own_process) {
      std::string object = setup.code + "/" + std::string{wire::kPreparedFolder} + "/handler.so";
      TRY(NativeModule module, NativeModule::load(object));
      return std::make_unique<NativeWorkerFactory>(loop, log, module, setup.function);
    }
  }
  return ChildWorkerFactory::make(loop, log, std::move(setup), arena);
}

}  // namespace nuclio::processor
