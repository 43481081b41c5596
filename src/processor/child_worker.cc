// SPDX-License-Identifier: Apache-2.0
#include "processor/child_worker.h"

#include <fmt/format.h>

#include <csignal>

#include "base/log.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

// For the callback that a cancelled call may have, before its worker is killed.
constexpr std::chrono::milliseconds kCancelGrace = 100ms;
// Between the end of the process and the end of its socket, in either order. Longer than a busy machine needs; it only
// passes when something else still holds the socket, or when the worker closed it and goes on.
constexpr std::chrono::milliseconds kBetweenEnds = 1s;
// For what a language does at its end after the function's termination callback: flushing, its own exit handlers.
constexpr std::chrono::milliseconds kLeaving = 100ms;

}  // namespace

Task<Result<std::unique_ptr<Worker>>> ChildWorker::start(Loop& loop, const FunctionLog& log, Launch launch,
                                                         WorkerIdentity identity, Deadline deadline) {
  CO_TRY(auto sockets, socket_pair());
  ChildOptions options;
  options.argv = std::move(launch.argv);
  options.env = std::move(launch.env);
  options.directory = std::move(launch.directory);
  options.descriptors.push_back({sockets.second.get(), Launch::kSocket});
  auto spawned = Child::spawn(loop, options);
  if (!spawned)
    co_return fail(std::move(spawned).error().in(fmt::format("worker {} cannot be started", identity.index.value())));
  Child child = std::move(*spawned);
  sockets.second.reset();
  std::unique_ptr<ChildWorker> worker{
      new ChildWorker(loop, log, std::move(child), std::move(sockets.first), std::move(identity))};
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

ChildWorker::ChildWorker(Loop& loop, const FunctionLog& log, Child child, Descriptor socket, WorkerIdentity identity)
    : identity_(identity),
      child_(std::move(child)),
      talk_(loop, std::move(socket), std::move(identity), log),
      changed_(loop),
      lives_(loop) {
  lives_.spawn(listen());
  lives_.spawn(reap());
}

ChildWorker::~ChildWorker() { lives_.cancel(); }

Task<void> ChildWorker::listen() {
  fault_ = co_await talk_.listen();
  silent_ = true;
  changed_.notify_all();
  if (fault_.empty()) {
    while (!exit_) {
      bool in_time = co_await changed_.wait(Deadline::in(kBetweenEnds));
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
  while (!silent_) {
    bool in_time = co_await changed_.wait(Deadline::in(kBetweenEnds));
    if (!in_time) break;
  }
  end();
}

void ChildWorker::end() {
  if (talk_.ended()) return;
  std::string how = exit_ ? exit_->text() : "closed its socket and went on, so it was killed";
  if (!fault_.empty()) how = "was killed because " + fault_;
  if (talk_.hopeless() && exit_ && exit_->signal == SIGKILL) how = "was killed because it did not answer in time";
  if (!leaving_) {
    log::warn(fmt::format("worker {} {}", identity_.index.value(), how),
              {{"trigger", identity_.trigger_name}, {"pid", child_.pid()}});
  }
  talk_.end(std::move(how));
  changed_.notify_all();
  if (ended_) std::exchange(ended_, nullptr)();
}

Task<void> ChildWorker::settle(Deadline deadline) {
  // After a timeout there is only time for a last word. Its answer, should it come, does not save the worker: whatever
  // kept it from answering in time may keep it again.
  if (talk_.hopeless()) deadline = earlier(deadline, Deadline::in(kCancelGrace));
  co_await talk_.quiet(deadline);
  if (talk_.ended() || talk_.usable()) co_return;
  child_.signal_group(SIGKILL);
  while (!talk_.ended()) (void)co_await changed_.wait(Deadline::in(kBetweenEnds));
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
