// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "loop/child.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/wait_list.h"
#include "processor/conversation.h"
#include "processor/function_log.h"
#include "processor/worker.h"
#include "wire/port.h"

namespace nuclio::processor {

// A handler in a process of its own. The process group dies with this object, and with the processor.
class ChildWorker final : public Worker, private Conversation::Owner {
 public:
  // For a process that was just started, at the other end of `port`. Returns once the worker says that it is ready.
  // Why::invalid with the worker's own words when it cannot serve, Why::unavailable when it ended without a word,
  // Why::timeout at the deadline.
  static Task<Result<std::unique_ptr<Worker>>> start(Loop& loop, const FunctionLog& log, Child child,
                                                     std::unique_ptr<wire::Port> port, WorkerIdentity identity,
                                                     Deadline deadline);
  ~ChildWorker() override;

  void belongs_to(WorkerOwner& owner) override { owner_ = &owner; }
  WorkerIndex index() const override { return identity_.index; }
  bool usable() const override { return talk_.usable(); }
  bool ended() const override { return talk_.ended().has_value(); }
  int jobs() const override { return talk_.jobs(); }
  int room() const override { return talk_.room(); }
  bool take(Job& job) override { return talk_.take(job); }
  bool take_back(Job& job) override { return talk_.take_back(job); }
  void return_waiting() override { talk_.return_waiting(); }
  void give_up(Job& job, GiveUp why) override { talk_.give_up(job, why); }
  Task<void> drain(Deadline deadline) override;
  Task<void> terminate(Deadline deadline) override;

 private:
  ChildWorker(Loop& loop, const FunctionLog& log, Child child, std::unique_ptr<wire::Port> port,
              WorkerIdentity identity);

  void changed() override;
  void returned(Job& job) override { owner_->returned(job); }
  void fell_silent(std::string fault) override;
  void to_settle(std::chrono::nanoseconds within) override;

  Deadline other_end();
  Task<void> listen_to_the_end();
  Task<void> reap();
  Task<void> settle(Deadline deadline);
  void end();

  WorkerIdentity identity_;
  Child child_;
  WorkerOwner* owner_ = nullptr;
  std::optional<ExitStatus> exit_;
  bool silent_ = false;   // its port says nothing more
  std::string fault_;     // what was wrong with what it said
  bool leaving_ = false;  // it was told to
  WaitList changed_;
  Conversation talk_;
  Group lives_;  // last, so that what runs here ends first
};

}  // namespace nuclio::processor
