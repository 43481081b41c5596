// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nuclio/abi.h>

#include <memory>
#include <string>

#include "loop/group.h"
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

  void belongs_to(WorkerOwner& owner) override { owner_ = &owner; }
  WorkerIndex index() const override;
  bool usable() const override { return !gone_ && !leaving_side_; }
  // It has no life of its own that could end, but may be lost in the function's code.
  bool ended() const override { return gone_; }
  int jobs() const override { return side_ || batch_ ? 1 : 0; }
  int room() const override { return usable() && jobs() == 0 ? 1 : 0; }
  // A single event is answered in here. The ABI has no batches: its events go one by one, each with an answer in one
  // piece.
  bool take(Job& job) override;
  bool take_back(Job&) override { return false; }
  void return_waiting() override {}
  void give_up(Job& job, GiveUp why) override;
  Task<void> drain(Deadline deadline) override;
  Task<void> terminate(Deadline deadline) override;

 private:
  friend class NativeBody;
  NativeWorker(Loop& loop, std::shared_ptr<NativeSlot> slot) : loop_(loop), slot_(std::move(slot)), background_(loop) {}
  Result<void> call(const Event& event, const Call& call);
  Task<void> run_batch(Job& job);
  Task<void> signal(nuclio_signal number, Deadline deadline);
  void leave_side();
  Task<void> leave_side_by(Deadline deadline);

  Loop& loop_;
  std::shared_ptr<NativeSlot> slot_;
  WorkerOwner* owner_ = nullptr;
  std::unique_ptr<SideThread> side_;  // while a stream or a callback runs
  bool leaving_side_ = false;         // nobody reads the stream any more, and it still runs
  Job* batch_ = nullptr;
  bool gone_ = false;
  Group background_;  // last, so that it ends first
};

}  // namespace nuclio::processor
