// SPDX-License-Identifier: Apache-2.0
#include "processor/worker_factory.h"

#include <boost/json.hpp>
#include <map>
#include <utility>

#include "base/log.h"
#include "processor/native_worker.h"

namespace nuclio::processor {
namespace {

// From the start of its process to its readiness. Imports and init_context may load a model; more than this is a hang.
constexpr std::chrono::minutes kStartTime{2};

class ChildWorkerFactory final : public WorkerFactory {
 public:
  ChildWorkerFactory(Loop& loop, const FunctionLog& log, RuntimeSetup setup)
      : loop_(loop), log_(log), setup_(std::move(setup)) {}
  Task<Result<std::unique_ptr<Worker>>> start(WorkerIdentity identity) override {
    auto launch = worker_launch(setup_, identity);
    if (!launch) return failed(std::move(launch).error());
    return ChildWorker::start(loop_, log_, std::move(*launch), std::move(identity), Deadline::in(kStartTime));
  }

 private:
  static Task<Result<std::unique_ptr<Worker>>> failed(Error error) { co_return fail(std::move(error)); }
  Loop& loop_;
  const FunctionLog& log_;
  RuntimeSetup setup_;
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

// What runtimeAttributes.isolation says: whether the shared object gets a process of its own.
Result<bool> isolated(const spec::FunctionConfig& function) {
  const auto* isolation = function.spec.runtime_attributes.if_contains("isolation");
  if (!isolation || isolation->is_null()) return false;
  if (isolation->is_string() && isolation->get_string() == "process") return true;
  if (isolation->is_string() && isolation->get_string() == "none") return false;
  return fail(Why::invalid, "spec.runtimeAttributes.isolation must be \"process\" or \"none\", is " +
                                boost::json::serialize(*isolation));
}

}  // namespace

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

Result<Launch> worker_launch(const RuntimeSetup& setup, const WorkerIdentity& identity) {
  auto values = wire::placeholders(setup.runtime, setup.code);
  values["fd"] = std::to_string(Launch::kSocket);
  values["handler"] = setup.function.spec.handler;
  values["version"] = wire::split_runtime(setup.function.spec.runtime).version;
  values["trigger_kind"] = identity.trigger_kind;
  values["trigger_name"] = identity.trigger_name;
  values["worker"] = std::to_string(identity.index.value());
  values["function"] = setup.function.metadata.name;
  values["namespace"] = setup.function.metadata.namespace_name;
  values["platform"] = setup.platform;
  // All lines come here, whatever the log takes: a caller may have asked for them (X-Nuclio-Log-Level).
  values["log_level"] = log::name(log::Level::debug);
  values["ring"] = "";  // frames go over the socket
  TRY(auto argv, wire::expand(setup.runtime.worker, values));
  return Launch{std::move(argv), worker_environment(setup), setup.code};
}

Result<std::unique_ptr<WorkerFactory>> make_worker_factory(Loop& loop, const FunctionLog& log, RuntimeSetup setup) {
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
  return std::make_unique<ChildWorkerFactory>(loop, log, std::move(setup));
}

}  // namespace nuclio::processor
