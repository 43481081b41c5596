// SPDX-License-Identifier: Apache-2.0
// From a function's spec and its runtime's manifest to workers.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/loop.h"
#include "processor/function_log.h"
#include "processor/launch.h"
#include "processor/worker.h"
#include "spec/function.h"
#include "wire/event_arena.h"
#include "wire/runtime.h"

namespace nuclio::processor {

struct RuntimeSetup {
  wire::Runtime runtime;
  spec::FunctionConfig function;         // enriched
  std::string code;                      // absolute folder of the function's code
  std::string platform;                  // what the function sees: kube, local or process
  std::vector<std::string> environment;  // the processor's own, "NAME=value", which workers inherit
  WorkerLimits limits = {};              // of workers in processes of their own
};

// The environment of a worker: the processor's own, over it the manifest's, the names that the contract promises, and
// over all the function's.
std::vector<std::string> worker_environment(const RuntimeSetup& setup);

// Which descriptors a worker is started with.
enum class Transport { socket, ring };

// Why::invalid when the manifest's command asks for what there is not.
Result<Launch> worker_launch(const RuntimeSetup& setup, const WorkerIdentity& identity, Transport transport);
// The same for the runtime's warm parent.
Result<Launch> parent_launch(const RuntimeSetup& setup);

// What runtimeAttributes say: whether a shared object gets a process of its own (isolation), and whether the warm
// parent imports the function (preload). Why::invalid for values that there are not.
Result<bool> isolated(const spec::FunctionConfig& function);
Result<bool> preloaded(const spec::FunctionConfig& function);

// A factory of workers of the runtime's own kind. Loads a shared object at once when it is to run in this process.
// Workers in processes of their own get their events through `arena` when there is one and the runtime knows how to,
// and else over sockets. Loop, log and arena outlive the factory, and the arena its workers.
Result<std::unique_ptr<WorkerFactory>> make_worker_factory(Loop& loop, const FunctionLog& log, RuntimeSetup setup,
                                                           wire::EventArena* arena);

}  // namespace nuclio::processor
