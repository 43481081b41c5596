// SPDX-License-Identifier: Apache-2.0
#include "processor/child_worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "base/log.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

// Between the end of the process and the end of its socket, in either order. Longer than a busy machine needs; it only
// passes when something else still holds the socket, or when the worker closed it and goes on.
constexpr std::chrono::milliseconds kBetweenEnds = 1s;
// For what a language does at its end after the function's termination callback: flushing, its own exit handlers.
constexpr std::chrono::milliseconds kLeaving = 100ms;

}  // namespace

Task<Result<std::unique_ptr<Worker>>> ChildWorker::start(Loop& loop, const FunctionLog& log, Child child,
                                                         std::unique_ptr<wire::Port> port, WorkerIdentity identity,
                                                         Deadline deadline) {
  std::unique_ptr<ChildWorker> worker{
      new ChildWorker(loop, log, std::move(child), std::move(port), std::move(identity))};
  auto ready = co_await worker->talk_.started(deadline);
  if (!ready && ready.error().why == Why::unavailable)
    co_return fail(Why::unavailable, ready.error().what + "; what it printed is in the log");
  if (!ready) co_return fail(std::move(ready).error());
  log::debug("worker ready", {{"trigger", worker->identity_.trigger_name},
                              {"worker", worker->identity_.index.value()},
                              {"pid", worker->child_.pid()},
                              {"runtime", *ready}});
  co_return std::unique_ptr<Worker>{std::move(worker)};
}

ChildWorker::ChildWorker(Loop& loop, const FunctionLog& log, Child child, std::unique_ptr<wire::Port> port,
                         WorkerIdentity identity)
    : identity_(identity),
      child_(std::move(child)),
      changed_(loop),
      talk_(loop, std::move(port), std::move(identity), log, *this),
      lives_(loop) {
  lives_.spawn(listen_to_the_end());
  lives_.spawn(reap());
}

ChildWorker::~ChildWorker() { lives_.cancel(); }

void ChildWorker::changed() {
  if (owner_) owner_->changed();
}

void ChildWorker::fell_silent(std::string fault) {
  fault_ = std::move(fault);
  silent_ = true;
  changed_.notify_all();
}

// How long to wait for it. Whoever waits for an answer that cannot come any more is to hear why, and not that their
// time is over: so half of that must do.
Deadline ChildWorker::other_end() {
  return Deadline::in(std::min<std::chrono::nanoseconds>(kBetweenEnds, talk_.first_deadline().left() / 2));
}

Task<void> ChildWorker::listen_to_the_end() {
  while (!silent_) (void)co_await changed_.wait();
  if (fault_.empty()) {
    Deadline deadline = other_end();
    while (!exit_) {
      bool in_time = co_await changed_.wait(deadline);
      if (!in_time) break;
    }
  }
  child_.signal_group(SIGKILL);
  end();
}

// A process that the handler forked may hold the socket open after its worker's death, so the death itself counts too.
Task<void> ChildWorker::reap() {
  exit_ = co_await child_.exited();
  child_.signal_group(SIGKILL);
  changed_.notify_all();
  // What the worker said last may still be on the way.
  Deadline deadline = other_end();
  while (!silent_) {
    bool in_time = co_await changed_.wait(deadline);
    if (!in_time) break;
  }
  end();
}

void ChildWorker::end() {
  if (ended()) return;
  std::string how = exit_ ? exit_->text() : "closed its socket and went on, so it was killed";
  if (!fault_.empty()) how = "was killed because " + fault_;
  if (talk_.hopeless() && exit_ && exit_->signal == SIGKILL) how = "was killed because it did not answer in time";
  if (!leaving_) {
    log::warn(fmt::format("worker {} {}", identity_.index.value(), how),
              {{"trigger", identity_.trigger_name}, {"pid", child_.pid()}});
  }
  talk_.end(std::move(how));
  changed_.notify_all();
  changed();
}

void ChildWorker::to_settle(std::chrono::nanoseconds within) { lives_.spawn(settle(Deadline::in(within))); }

Task<void> ChildWorker::settle(Deadline deadline) {
  co_await talk_.settled(deadline);
  if (!ended() && !talk_.usable()) child_.signal_group(SIGKILL);
}

Task<void> ChildWorker::drain(Deadline deadline) { (void)co_await talk_.control(wire::Control::drain, deadline); }

Task<void> ChildWorker::terminate(Deadline deadline) {
  leaving_ = true;
  bool done = co_await talk_.control(wire::Control::terminate, deadline);
  if (!done && !talk_.ended()) {
    log::warn(
        fmt::format("worker {} did not finish its termination callback in time and is killed", identity_.index.value()),
        {{"trigger", identity_.trigger_name}});
  }
  Deadline until = earlier(deadline, Deadline::in(kLeaving));
  while (!exit_) {
    bool in_time = co_await changed_.wait(until);
    if (!in_time) break;
  }
  child_.signal_group(SIGKILL);
}

}  // namespace nuclio::processor
