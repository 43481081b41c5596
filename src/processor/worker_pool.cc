// SPDX-License-Identifier: Apache-2.0
#include "processor/worker_pool.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "loop/wait_list.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

// Between two attempts to start a worker that does not start.
constexpr std::chrono::milliseconds kFirstBackOff = 10ms;
constexpr std::chrono::milliseconds kLongestBackOff = 5s;
// A worker that dies idle and younger than this is as good as one that does not start: replacing it at once would only
// keep the machine busy.
constexpr std::chrono::milliseconds kInfancy = 1s;
// How long a worker may go on with a call that nobody waits for any more.
constexpr std::chrono::milliseconds kSettling = 1s;

}  // namespace

// A place for a worker. Idle ones are linked into idle_; a leased one, or one whose worker is being replaced, is not.
struct WorkerPool::Slot : ListLink {
  Slot(Loop& loop, WorkerIndex number) : index(number), changed(loop) {}
  WorkerIndex index;
  std::unique_ptr<Worker> worker;
  bool leased = false;
  SteadyTime started{};
  std::chrono::milliseconds back_off{0};
  WaitList changed;  // tend() waits here
};

WorkerPool::WorkerPool(Loop& loop, WorkerFactory& factory, PoolOptions options)
    : loop_(loop), factory_(factory), options_(std::move(options)), tenders_(loop) {
  for (int i = 0; i < options_.workers; ++i) slots_.push_back(std::make_unique<Slot>(loop, WorkerIndex{i}));
}

WorkerPool::~WorkerPool() {
  CHECK(waiters_.empty());
  for (const auto& slot : slots_) CHECK(!slot->leased);
  tenders_.cancel();
}

Task<Result<void>> WorkerPool::start() {
  std::optional<Error> error;
  std::size_t missing = slots_.size();
  {
    Group starting{loop_};
    for (const auto& slot : slots_) starting.spawn(start_first(*slot, error, missing));
    // Whoever is last, or fails, notifies the first slot.
    while (missing > 0 && !error) (void)co_await slots_.front()->changed.wait();
  }
  if (error) co_return fail(std::move(*error));
  for (const auto& slot : slots_) {
    offer(*slot);
    tenders_.spawn(tend(*slot));
  }
  co_return Result<void>{};
}

Task<void> WorkerPool::start_first(Slot& slot, std::optional<Error>& error, std::size_t& missing) {
  auto started = co_await start_worker(slot);
  if (!started && !error) error = std::move(started).error();
  --missing;
  if (missing == 0 || error) slots_.front()->changed.notify_all();
}

Task<Result<void>> WorkerPool::start_worker(Slot& slot) {
  WorkerIdentity identity{slot.index, options_.trigger_kind, options_.trigger_name};
  CO_TRY(slot.worker, co_await factory_.start(std::move(identity)));
  slot.started = loop_.now();
  slot.worker->when_ended([&slot] { slot.changed.notify_all(); });
  co_return Result<void>{};
}

// A slot's whole life: waits until its worker is neither lent nor usable, then makes it so again.
Task<void> WorkerPool::tend(Slot& slot) {
  for (;;) {
    while (slot.leased || slot.worker->usable()) (void)co_await slot.changed.wait();
    if (slot.linked()) {
      slot.unlink();
      --idle_count_;
      bool infant = loop_.now() - slot.started < kInfancy;
      slot.back_off = infant ? std::clamp(slot.back_off * 2, kFirstBackOff, kLongestBackOff) : 0ms;
    } else {
      co_await slot.worker->settle(Deadline::in(kSettling));
    }
    if (!slot.worker->usable()) co_await replace(slot);
    offer(slot);
  }
}

Task<void> WorkerPool::replace(Slot& slot) {
  slot.worker.reset();
  ++restarts_;
  for (;;) {
    if (slot.back_off > 0ms) co_await loop_.sleep(slot.back_off);
    auto started = co_await start_worker(slot);
    if (started) break;
    slot.back_off = std::clamp(slot.back_off * 2, kFirstBackOff, kLongestBackOff);
    log::error(fmt::format("worker {} of trigger {} does not start; trying again in {} ms", slot.index.value(),
                           options_.trigger_name, slot.back_off.count()),
               {{"error", started.error().what}});
  }
  log::info("worker replaced", {{"trigger", options_.trigger_name}, {"worker", slot.index.value()}});
}

std::size_t WorkerPool::alive() const {
  return static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), [](const auto& slot) {
    return slot->leased || (slot->worker && slot->worker->usable());
  }));
}

// To the first in the queue, else it is idle.
void WorkerPool::offer(Slot& slot) {
  if (auto* first = static_cast<Acquire*>(waiters_.front())) {
    first->leave_queue();
    slot.leased = true;
    first->lease_ = Lease{*this, slot};
    loop_.schedule(*first);
  } else {
    idle_.push_back(slot);
    ++idle_count_;
  }
}

WorkerPool::Slot* WorkerPool::take_idle() {
  // One that died this moment is still among the idle until its tender has run.
  while (Slot* slot = idle_.back()) {
    if (!slot->worker->usable()) {
      slot->unlink();
      --idle_count_;
      continue;
    }
    slot->unlink();
    --idle_count_;
    slot->leased = true;
    return slot;
  }
  return nullptr;
}

void WorkerPool::give_back(Slot& slot) {
  slot.leased = false;
  if (winding_down_) return;
  if (slot.worker->usable()) {
    slot.back_off = 0ms;  // it works
    offer(slot);
  } else {
    slot.changed.notify_all();
  }
}

Task<void> WorkerPool::wind_down(Deadline deadline) {
  winding_down_ = true;
  tenders_.cancel();
  Deadline until = earlier(deadline, Deadline::in(options_.termination_timeout));
  Group dismissed{loop_};
  for (const auto& slot : slots_)
    if (slot->worker && !slot->leased && slot->worker->usable()) dismissed.spawn(dismiss(*slot, until));
  (void)co_await dismissed.empty(until);
}

Task<void> WorkerPool::dismiss(Slot& slot, Deadline deadline) {
  co_await slot.worker->drain(deadline);
  co_await slot.worker->terminate(deadline);
}

Worker* Lease::operator->() const { return slot_->worker.get(); }

WorkerPool::Acquire::~Acquire() {
  if (queued_) leave_queue();
}

bool WorkerPool::Acquire::await_ready() {
  statistics_.available_percent += 100.0 * static_cast<double>(pool_.idle_count_) / pool_.slots_.size();
  if (Slot* slot = pool_.take_idle()) {
    lease_ = Lease{pool_, *slot};
    return true;
  }
  refused_ = pool_.waiting_count_ >= pool_.options_.queue_limit;
  return refused_ || deadline_.passed();
}

void WorkerPool::Acquire::await_suspend(std::coroutine_handle<> waiting) {
  coroutine = waiting;
  began_ = std::chrono::steady_clock::now();
  pool_.waiters_.push_back(*this);
  ++pool_.waiting_count_;
  queued_ = true;
  arm(deadline_);
}

void WorkerPool::Acquire::leave_queue() {
  disarm();
  unlink();
  queued_ = false;
  --pool_.waiting_count_;
}

void WorkerPool::Acquire::fire() {
  leave_queue();
  coroutine.resume();
}

Result<Lease> WorkerPool::Acquire::await_resume() {
  bool waited = began_ != SteadyTime{};
  auto wait = waited ? std::chrono::steady_clock::now() - began_ : 0ns;
  statistics_.wait += wait;
  if (lease_) {
    lease_->waited_ = wait;
    ++(waited ? statistics_.after_wait : statistics_.immediate);
    return std::move(*lease_);
  }
  ++statistics_.timed_out;
  if (refused_)
    return fail(Why::busy, fmt::format("all {} workers are busy and {} events wait for them already; send less, or "
                                       "raise numWorkers of the trigger",
                                       pool_.size(), pool_.waiting()));
  return fail(Why::busy, fmt::format("none of the {} workers came free in time; raise numWorkers or "
                                     "workerAvailabilityTimeoutMilliseconds of the trigger",
                                     pool_.size()));
}

}  // namespace nuclio::processor
