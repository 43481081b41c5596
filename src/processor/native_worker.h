// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nuclio/abi.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "loop/loop.h"
#include "processor/function_log.h"
#include "processor/side_thread.h"
#include "processor/worker.h"

namespace nuclio::processor {

// A function's shared object, loaded for good: what it left running or registered would not survive its unloading.
class NativeModule {
 public:
  // Why::not_found or Why::invalid when it is missing, does not load, or was built for another version of the ABI.
  static Result<NativeModule> load(const std::string& path);
  const nuclio_module_table& table() const { return *table_; }

 private:
  explicit NativeModule(const nuclio_module_table& table) : table_(&table) {}
  const nuclio_module_table* table_;
};

struct NativeSlot;

// A handler within this process. Its handler runs on the loop's thread, which makes it the fastest there is, and also
// means that one which blocks holds up everything, and that neither its deadline nor its crash can be contained: for
// such handlers there is `isolation: process`. Streams and callbacks run on threads of their own.
class NativeWorker final : public Worker {
 public:
  // `handler` as in the spec. Why::invalid with the object's own words when it has no such handler or init_context
  // fails.
  static Task<Result<std::unique_ptr<Worker>>> start(Loop& loop, const NativeModule& module, const FunctionLog& log,
                                                     std::string handler, std::string function, WorkerIdentity identity,
                                                     Deadline deadline);
  ~NativeWorker() override;

  Task<Result<Response>> call(const Event& event, const Call& call) override;
  // The ABI has no batches: its events go one by one, each with an answer in one piece.
  Task<Result<std::vector<Result<Response>>>> call_batch(std::span<const Event> events, const Call& call) override;
  bool usable() const override { return !gone_ && !side_; }
  Task<void> settle(Deadline deadline) override;
  // It has no life of its own that could end.
  void when_ended(std::function<void()>) override {}
  WorkerIndex index() const override;
  Task<void> drain(Deadline deadline) override;
  Task<void> terminate(Deadline deadline) override;

 private:
  friend class NativeBody;
  NativeWorker(Loop& loop, std::shared_ptr<NativeSlot> slot) : loop_(loop), slot_(std::move(slot)) {}
  Task<void> signal(nuclio_signal number, Deadline deadline);

  Loop& loop_;
  std::shared_ptr<NativeSlot> slot_;
  std::unique_ptr<SideThread> side_;  // while a stream or a callback runs
  bool gone_ = false;
};

}  // namespace nuclio::processor
