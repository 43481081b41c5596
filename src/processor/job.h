// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "processor/event.h"
#include "processor/function_log.h"
#include "processor/pool_statistics.h"
#include "processor/worker_identity.h"
#include "wire/frame.h"

namespace nuclio::processor {

class WorkerPool;
class PoolSlot;
struct Lent;

// An event, or a batch of them, from the moment at which it wants a worker until it is answered. At each moment exactly
// one has it: the pool's line, a worker, a pool on another thread, or, once it is answered, whoever awaits it. Lives in
// the coroutine that does (see WorkerPool::run), on its loop's thread, and borrows the events and the call.
class Job final : public Resumption, private Timer {
 public:
  enum class Kind { single, batch };

  // For a worker the job waits until `availability` or the call's deadline, whichever is first.
  Job(Loop& loop, const Event& event, const Call& call, Deadline availability)
      : Job(loop, Kind::single, {&event, 1}, call, availability) {}
  // With Kind::batch any number of events but none.
  Job(Loop& loop, Kind kind, std::span<const Event> events, const Call& call, Deadline availability)
      : Timer(loop),
        loop_(loop),
        events_(events),
        call_(call),
        kind_(kind),
        wait_until_(earlier(availability, call.deadline)) {}

  Kind kind() const { return kind_; }
  std::span<const Event> events() const { return events_; }
  const Event& event() const { return events_.front(); }
  const Call& call() const { return call_; }
  // "event 7", for messages.
  std::string text() const;

  // By who has it, once. Whoever awaits it goes on in the loop's next round.
  template <class Answer>  // a Response, an error, or either; for a batch an error that is each event's
  void answer(Answer&& answer) {
    response_.emplace(std::forward<Answer>(answer));  // in its place: a Response is large, and moving it costs
    finish();
  }
  void answer_batch(Responses responses);
  bool answered() const { return answered_; }

  // The answer, which may be moved from.
  Result<Response>& response() { return *response_; }
  Result<Responses> responses();
  // The worker that it is with, or was with last; nothing when it never was with one.
  std::optional<WorkerIndex> worker() const { return worker_; }
  SteadyTime given() const { return given_; }  // to that worker
  // Until then, or until it was given up.
  std::chrono::nanoseconds waited() const { return waited_; }

  // What the worker that has it remembers of it.
  wire::CallId call_id{0};
  CollectedLogs shipped;

 private:
  friend class Lending;
  friend class WaitingLine;
  friend class WorkerPool;
  void fire() override;
  void finish();

  Loop& loop_;
  std::span<const Event> events_;
  const Call& call_;
  Kind kind_;
  Deadline wait_until_;

  // The pool's.
  WorkerPool* pool_ = nullptr;
  PoolStatistics* statistics_ = nullptr;  // until it is counted there
  PoolSlot* slot_ = nullptr;              // of the worker that has it
  std::shared_ptr<Lent> lent_;            // while a pool on another thread has it
  SteadyTime arrived_{};
  SteadyTime given_{};
  std::optional<WorkerIndex> worker_;
  std::chrono::nanoseconds waited_{0};
  bool queued_ = false;     // it was in line
  bool suspended_ = false;  // somebody awaits it

  bool answered_ = false;
  std::optional<Result<Response>> response_;
  Responses responses_;
};

}  // namespace nuclio::processor
