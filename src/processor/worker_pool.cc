// SPDX-License-Identifier: Apache-2.0
#include "processor/worker_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

// Between two attempts to start a worker that does not start.
constexpr std::chrono::milliseconds kFirstBackOff = 10ms;
constexpr std::chrono::milliseconds kLongestBackOff = 5s;
// A worker that dies younger than this and has not worked is as good as one that does not start: after the first time,
// replacing it at once would only keep the machine busy.
constexpr std::chrono::milliseconds kInfancy = 1s;
// A worker that answers nothing for so long is not as quick as was thought when events were put behind its job.
constexpr std::chrono::milliseconds kStall = 2ms;

}  // namespace

void PoolSlot::changed() { pool_.changed(*this); }
void PoolSlot::returned(Job& job) { pool_.returned(job); }

WorkerPool::WorkerPool(Loop& loop, WorkerFactory& factory, PoolOptions options)
    : loop_(loop),
      factory_(factory),
      options_(std::move(options)),
      line_(options_.queue_limit),
      watchman_(loop, *this),
      tenders_(loop) {
  for (int i = 0; i < options_.workers; ++i)
    slots_.push_back(std::make_unique<PoolSlot>(*this, loop, WorkerIndex{options_.first_worker + i}));
  if (options_.peers) lending_.emplace(*this, loop, *options_.peers, options_.number_of_peer);
}

WorkerPool::~WorkerPool() {
  CHECK(line_.empty());
  tenders_.cancel();
}

Task<Result<void>> WorkerPool::start() {
  std::optional<Error> error;
  std::size_t missing = slots_.size();
  {
    Group starting{loop_};
    for (const auto& slot : slots_) starting.spawn(start_first(*slot, error, missing));
    // Whoever is last, or fails, notifies the first slot.
    while (missing > 0 && !error) (void)co_await slots_.front()->tender.wait();
  }
  if (error) co_return fail(std::move(*error));
  for (const auto& slot : slots_) {
    note_idle(*slot);
    tenders_.spawn(tend(*slot));
  }
  tell_peers();
  co_return Result<void>{};
}

Task<void> WorkerPool::start_first(PoolSlot& slot, std::optional<Error>& error, std::size_t& missing) {
  auto started = co_await start_worker(slot);
  if (!started && !error) error = std::move(started).error();
  --missing;
  if (missing == 0 || error) slots_.front()->tender.notify_all();
}

Task<Result<void>> WorkerPool::start_worker(PoolSlot& slot) {
  WorkerIdentity identity{slot.index, options_.trigger_kind, options_.trigger_name};
  CO_TRY(slot.worker, co_await factory_.start(std::move(identity)));
  slot.started = loop_.now();
  slot.worked = false;
  slot.given = 0;
  slot.seen_done.reset();
  slot.worker->belongs_to(slot);
  co_return Result<void>{};
}

// A slot's whole life: waits until its worker has ended, then starts another.
Task<void> WorkerPool::tend(PoolSlot& slot) {
  for (;;) {
    while (!slot.worker->ended()) (void)co_await slot.tender.wait();
    co_await replace(slot);
    note_idle(slot);
    serve_line();
  }
}

Task<void> WorkerPool::replace(PoolSlot& slot) {
  if (slot.linked()) {
    slot.unlink();
    --idle_count_;
  }
  bool infant = !slot.worked && loop_.now() - slot.started < kInfancy;
  slot.worker.reset();
  ++restarts_;
  std::chrono::milliseconds pause = infant ? slot.back_off : 0ms;
  slot.back_off = infant ? std::clamp(slot.back_off * 2, kFirstBackOff, kLongestBackOff) : 0ms;
  for (;;) {
    if (pause > 0ms) co_await loop_.sleep(pause);
    auto started = co_await start_worker(slot);
    if (started) break;
    pause = slot.back_off = std::clamp(slot.back_off * 2, kFirstBackOff, kLongestBackOff);
    log::error(fmt::format("worker {} of trigger {} does not start; trying again in {} ms", slot.index.value(),
                           options_.trigger_name, pause.count()),
               {{"error", started.error().what}});
  }
  log::info("worker replaced", {{"trigger", options_.trigger_name}, {"worker", slot.index.value()}});
}

std::size_t WorkerPool::alive() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(slots_, [](const auto& slot) { return slot->worker && !slot->worker->ended(); }));
}

// Where an event finds its worker.
void WorkerPool::submit(Job& job) {
  job.statistics_->available_percent += 100.0 * static_cast<double>(idle_count_) / static_cast<double>(slots_.size());
  job.pool_ = this;
  job.arrived_ = loop_.now();
  if (line_.empty()) {
    while (PoolSlot* idle = take_idle())
      if (give(*idle, job)) return tell_peers();
    if (PoolSlot* quick = quick_one(); quick && give(*quick, job)) return;
    if (lend(job)) return;
  }
  Job* dropped = nullptr;
  bool waits = !job.wait_until_.passed() && line_.enter(job, job.arrived_, dropped);
  if (dropped) refuse(*dropped);
  if (waits) {
    job.queued_ = true;
    job.arm(job.wait_until_);
    tell_peers();
  } else {
    refuse(job);
  }
}

// How it fared in getting a worker: once it has one to itself, or is answered.
void WorkerPool::count(Job& job) {
  PoolStatistics* statistics = std::exchange(job.statistics_, nullptr);
  if (!statistics) return;
  statistics->wait += job.waited_;
  if (!job.worker_) {
    ++statistics->timed_out;
  } else {
    ++(job.queued_ ? statistics->after_wait : statistics->immediate);
  }
}

bool WorkerPool::give(PoolSlot& slot, Job& job) {
  SteadyTime now = loop_.now();
  job.slot_ = &slot;
  job.worker_ = slot.index;
  job.given_ = now;
  job.waited_ = now - job.arrived_;
  ++slot.given;
  if (!slot.worker->take(job)) {
    --slot.given;
    job.slot_ = nullptr;
    return false;
  }
  slot.worked = true;
  if (job.answered()) {
    count(job);
    changed(slot);
    return true;
  }
  // Until it is begun, it waits.
  bool behind = slot.worker->jobs() > 1;
  if (!behind) {
    count(job);
    slot.seen_done.reset();  // what was seen says nothing of this job
  }
  job.arm(behind ? job.wait_until_ : job.call_.deadline);
  if (behind && !watchman_.armed()) watchman_.arm(Deadline::in(kStall));
  return true;
}

void WorkerPool::serve_line() {
  if (std::exchange(serving_, true)) return;
  while (!line_.empty()) {
    PoolSlot* idle = take_idle();
    PoolSlot* slot = idle ? idle : quick_one();
    if (!slot) break;
    Job* job = line_.take(loop_.now());
    if (give(*slot, *job)) continue;
    line_.enter_again(*job);
    if (!idle) break;  // an idle one is not tried again until it has changed
  }
  serving_ = false;
  if (lending_) lend_line();
  tell_peers();
}

bool WorkerPool::lend(Job& job) {
  if (!lending_ || job.kind() != Job::Kind::single || !lending_->lend(job)) return false;
  job.given_ = loop_.now();
  job.waited_ = job.given_ - job.arrived_;
  job.arm(job.call_.deadline);
  return true;
}

// What waits, as long as peers have idle workers.
void WorkerPool::lend_line() {
  while (!line_.empty() && lending_->somebody_idle()) {
    Job* job = line_.take(loop_.now());
    if (lend(*job)) continue;
    line_.enter_again(*job);
    break;
  }
}

void WorkerPool::lent_back(Job& job, std::optional<WorkerIndex> worker, Result<Response> response) {
  if (worker) {
    job.worker_ = worker;
    return job.answer(std::move(response));
  }
  // Somebody else was faster. It keeps its place.
  job.queued_ = true;
  line_.enter_again(job);
  job.arm(job.wait_until_);
  serve_line();
}

std::size_t WorkerPool::all_workers() const {
  return options_.all_workers > 0 ? static_cast<std::size_t>(options_.all_workers) : slots_.size();
}

PoolSlot* WorkerPool::take_idle() {
  while (PoolSlot* slot = idle_.back()) {
    slot->unlink();
    --idle_count_;
    if (slot->worker->room() > 0) return slot;
  }
  return nullptr;
}

// The busy worker behind which an event waits the shortest.
PoolSlot* WorkerPool::quick_one() {
  PoolSlot* best = nullptr;
  for (const auto& slot : slots_) {
    if (!slot->worker || slot->worker->room() == 0) continue;
    if (!best || slot->worker->jobs() < best->worker->jobs()) best = slot.get();
  }
  return best;
}

void WorkerPool::note_idle(PoolSlot& slot) {
  if (winding_down_ || slot.linked() || !slot.worker || slot.worker->jobs() > 0 || slot.worker->room() == 0) return;
  idle_.push_back(slot);
  ++idle_count_;
}

void WorkerPool::changed(PoolSlot& slot) {
  if (winding_down_) return;
  if (slot.worker->ended()) {
    slot.tender.notify_all();
  } else {
    if (slot.worked && slot.done() > 0) slot.back_off = 0ms;  // it works
    note_idle(slot);
  }
  serve_line();  // also when it has ended: what it had not begun is in line again
}

// It was promised a worker, and keeps its place.
void WorkerPool::returned(Job& job) {
  job.slot_ = nullptr;
  job.queued_ = true;
  line_.enter_again(job);
  job.arm(job.wait_until_);
}

void WorkerPool::look_for_stalls() {
  bool more = false;
  for (const auto& slot : slots_) {
    if (!slot->worker || slot->worker->jobs() < 2) continue;
    more = true;
    if (std::exchange(slot->seen_done, slot->done()) == slot->done()) slot->worker->return_waiting();
  }
  serve_line();
  if (more) watchman_.arm(Deadline::in(kStall));
}

// What it waited for did not come in time: a worker, or the worker's answer.
void WorkerPool::late(Job& job) {
  if (job.lent_) {
    Lending::give_up(job);
    return job.answer(fail(Why::timeout, job.text() + " took longer than its eventTimeout"));
  }
  if (!job.slot_) {
    line_.leave(job);
    refuse(job);
    return tell_peers();
  }
  PoolSlot& slot = *job.slot_;
  Worker& worker = *slot.worker;
  if (worker.take_back(job)) {
    refuse(job);
    return changed(slot);
  }
  if (!job.call_.deadline.passed()) return job.arm(job.call_.deadline);
  job.unlink();
  worker.give_up(job, GiveUp::late);
  job.answer(fail(Why::timeout, job.text() + " took longer than its eventTimeout"));
  serve_line();  // what waited behind it is in line again
}

void WorkerPool::withdraw(Job& job) {
  if (job.answered()) return;
  if (job.lent_) return Lending::give_up(job);
  if (!job.slot_) {
    line_.leave(job);
    return tell_peers();
  }
  Worker& worker = *job.slot_->worker;
  if (worker.take_back(job)) return changed(*job.slot_);
  worker.give_up(job, GiveUp::unwanted);
  serve_line();
}

void WorkerPool::refuse(Job& job) {
  job.waited_ = loop_.now() - job.arrived_;
  job.worker_.reset();
  count(job);
  if (job.call_.deadline.passed()) {
    job.answer(fail(Why::timeout, "the event's time was over before a worker came free"));
  } else if (job.wait_until_.passed()) {
    job.answer(fail(Why::busy, fmt::format("none of the {} workers came free in time; raise numWorkers or "
                                           "workerAvailabilityTimeoutMilliseconds of the trigger",
                                           all_workers())));
  } else {
    job.answer(fail(Why::busy, fmt::format("all {} workers are busy and {} events wait for them already; send less, or "
                                           "raise numWorkers of the trigger",
                                           all_workers(), line_.size())));
  }
}

Task<void> WorkerPool::wind_down(Deadline deadline) {
  winding_down_ = true;
  tenders_.cancel();
  Deadline until = earlier(deadline, Deadline::in(options_.termination_timeout));
  Group dismissed{loop_};
  for (const auto& slot : slots_)
    if (slot->worker && slot->worker->usable() && slot->worker->jobs() == 0) dismissed.spawn(dismiss(*slot, until));
  (void)co_await dismissed.empty(until);
}

Task<void> WorkerPool::dismiss(PoolSlot& slot, Deadline deadline) {
  co_await slot.worker->drain(deadline);
  co_await slot.worker->terminate(deadline);
}

WorkerPool::Run::~Run() {
  if (submitted_ && !job_.answered()) pool_.withdraw(job_);
}

bool WorkerPool::Run::await_ready() {
  submitted_ = true;
  job_.statistics_ = &statistics_;
  pool_.submit(job_);
  return job_.answered();
}

void WorkerPool::Run::await_resume() { pool_.count(job_); }

void WorkerPool::Run::await_suspend(std::coroutine_handle<> waiting) {
  job_.coroutine = waiting;
  job_.suspended_ = true;
}

}  // namespace nuclio::processor
