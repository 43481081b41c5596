// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loop/child.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/wait_list.h"
#include "processor/conversation.h"
#include "processor/function_log.h"
#include "processor/worker.h"

namespace nuclio::processor {

// How to start a worker's process.
struct Launch {
  // Where the worker finds its socket, whatever it is started with.
  static constexpr int kSocket = 3;
  std::vector<std::string> argv;
  std::vector<std::string> env;  // all of it, "NAME=value"
  std::string directory;
};

// A handler in a process of its own, which talks over a socket. The process group dies with this object, and with the
// processor.
class ChildWorker final : public Worker {
 public:
  // Returns once the worker says that it is ready. Why::invalid with the worker's own words when it cannot serve,
  // Why::unavailable when it ended without a word, Why::timeout at the deadline.
  static Task<Result<std::unique_ptr<Worker>>> start(Loop& loop, const FunctionLog& log, Launch launch,
                                                     WorkerIdentity identity, Deadline deadline);
  ~ChildWorker() override;

  Task<Result<Response>> call(const Event& event, const Call& call) override { return talk_.call(event, call); }
  Task<Result<std::vector<Result<Response>>>> call_batch(std::span<const Event> events, const Call& call) override {
    return talk_.call_batch(events, call);
  }
  bool usable() const override { return talk_.usable(); }
  Task<void> settle(Deadline deadline) override;
  void when_ended(std::function<void()> callback) override { ended_ = std::move(callback); }
  WorkerIndex index() const override { return identity_.index; }
  Task<void> drain(Deadline deadline) override;
  Task<void> terminate(Deadline deadline) override;

 private:
  ChildWorker(Loop& loop, const FunctionLog& log, Child child, Descriptor socket, WorkerIdentity identity);
  Task<void> listen();
  Task<void> reap();
  void end();

  WorkerIdentity identity_;
  Child child_;
  Conversation talk_;
  std::optional<ExitStatus> exit_;
  bool silent_ = false;   // the socket says nothing more
  std::string fault_;     // what was wrong with what it said
  bool leaving_ = false;  // it was told to
  WaitList changed_;
  std::function<void()> ended_;
  Group lives_;  // listen() and reap(); last, so that they end first
};

}  // namespace nuclio::processor
