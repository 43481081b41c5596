// SPDX-License-Identifier: Apache-2.0
// From a function's spec and its runtime's manifest to workers.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/loop.h"
#include "processor/child_worker.h"
#include "processor/function_log.h"
#include "processor/worker.h"
#include "spec/function.h"
#include "wire/runtime.h"

namespace nuclio::processor {

struct RuntimeSetup {
  wire::Runtime runtime;
  spec::FunctionConfig function;         // enriched
  std::string code;                      // absolute folder of the function's code
  std::string platform;                  // what the function sees: kube, local or process
  std::vector<std::string> environment;  // the processor's own, "NAME=value", which workers inherit
};

// The environment of a worker: the processor's own, over it the manifest's, the names that the contract promises, and
// over all the function's.
std::vector<std::string> worker_environment(const RuntimeSetup& setup);

// Why::invalid when the manifest's command asks for what there is not.
Result<Launch> worker_launch(const RuntimeSetup& setup, const WorkerIdentity& identity);

// A factory of workers of the runtime's own kind. Loads a shared object at once when it is to run in this process. Loop
// and log outlive it.
Result<std::unique_ptr<WorkerFactory>> make_worker_factory(Loop& loop, const FunctionLog& log, RuntimeSetup setup);

}  // namespace nuclio::processor
