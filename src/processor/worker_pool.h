// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/group.h"
#include "loop/list.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "processor/pool_statistics.h"
#include "processor/worker.h"

namespace nuclio::processor {

class Lease;

struct PoolOptions {
  std::string trigger_kind;  // of the trigger whose workers these are; the first of those that share them
  std::string trigger_name;
  int workers = 1;
  std::size_t queue_limit = 10;  // events that may wait for a worker; more are refused at once
  std::chrono::nanoseconds termination_timeout = std::chrono::seconds{10};  // of a worker's callbacks
};

// A fixed number of workers, lent out one event at a time. One that dies is replaced in the background, and as long as
// that fails the events wait for the others. Lives on its loop's thread; outlives its leases and waiters.
class WorkerPool {
 public:
  WorkerPool(Loop& loop, WorkerFactory& factory, PoolOptions options);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();

  // Starts all workers at once and returns when they are ready, or with the first error: then the function cannot run.
  Task<Result<void>> start();

  class Acquire;
  // co_await gives a Result<Lease>: first come, first served; Why::busy when no worker came free by the deadline (one
  // that has passed never waits) or the queue is full. Counted in `statistics`, which outlives the wait.
  Acquire acquire(Deadline deadline, PoolStatistics& statistics);

  // The end of the pool: replaces no worker any more and runs the drain and termination callbacks of all that are idle,
  // each bounded by the termination timeout and the deadline. Called once no event comes any more.
  Task<void> wind_down(Deadline deadline);

  std::size_t size() const { return slots_.size(); }
  std::size_t idle() const { return idle_count_; }
  std::size_t waiting() const { return waiting_count_; }
  std::size_t alive() const;                            // at work or idle; the others are being replaced
  std::uint64_t restarts() const { return restarts_; }  // workers replaced since the start

 private:
  friend class Lease;
  struct Slot;

  Task<void> start_first(Slot& slot, std::optional<Error>& error, std::size_t& missing);
  Task<void> tend(Slot& slot);
  Task<void> replace(Slot& slot);
  Task<void> dismiss(Slot& slot, Deadline deadline);
  Task<Result<void>> start_worker(Slot& slot);

  void offer(Slot& slot);
  Slot* take_idle();
  void give_back(Slot& slot);

  Loop& loop_;
  WorkerFactory& factory_;
  PoolOptions options_;
  std::vector<std::unique_ptr<Slot>> slots_;
  List<Slot> idle_;  // the one that was busy last at the back: it is the warmest, so it is the next
  std::size_t idle_count_ = 0;
  List<Resumption> waiters_;  // Acquire
  std::size_t waiting_count_ = 0;
  std::uint64_t restarts_ = 0;
  bool winding_down_ = false;
  Group tenders_;  // one a slot
};

// A worker for as long as this lives. Gives it back on every path.
class Lease {
 public:
  Lease(Lease&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)),
        slot_(std::exchange(other.slot_, nullptr)),
        waited_(other.waited_) {}
  Lease& operator=(Lease&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(slot_, other.slot_);
    std::swap(waited_, other.waited_);
    return *this;
  }
  ~Lease() {
    if (pool_) pool_->give_back(*slot_);
  }
  Worker* operator->() const;
  Worker& operator*() const { return *operator->(); }
  // For the worker, in the queue.
  std::chrono::nanoseconds waited() const { return waited_; }

 private:
  friend class WorkerPool;
  Lease(WorkerPool& pool, WorkerPool::Slot& slot) : pool_(&pool), slot_(&slot) {}
  WorkerPool* pool_;
  WorkerPool::Slot* slot_;
  std::chrono::nanoseconds waited_{0};
};

// A place in the queue. What is handed to it stays here until its coroutine goes on; when that never happens, because
// it was cancelled, the worker goes to the next in the queue.
class [[nodiscard]] WorkerPool::Acquire final : private Resumption, private Timer {
 public:
  Acquire(WorkerPool& pool, Deadline deadline, PoolStatistics& statistics)
      : Timer(pool.loop_), pool_(pool), deadline_(deadline), statistics_(statistics) {}
  ~Acquire() override;
  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiting);
  Result<Lease> await_resume();

 private:
  friend class WorkerPool;
  void fire() override;
  void leave_queue();

  WorkerPool& pool_;
  Deadline deadline_;
  PoolStatistics& statistics_;
  SteadyTime began_{};
  bool queued_ = false;
  bool refused_ = false;  // the queue was full
  std::optional<Lease> lease_;
};

inline WorkerPool::Acquire WorkerPool::acquire(Deadline deadline, PoolStatistics& statistics) {
  return {*this, deadline, statistics};
}

}  // namespace nuclio::processor
