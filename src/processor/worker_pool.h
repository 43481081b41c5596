// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/group.h"
#include "loop/list.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "processor/job.h"
#include "processor/lending.h"
#include "processor/pool_slot.h"
#include "processor/pool_statistics.h"
#include "processor/waiting_line.h"
#include "processor/worker.h"

namespace nuclio::processor {

struct PoolOptions {
  std::string trigger_kind;  // of the trigger whose workers these are; the first of those that share them
  std::string trigger_name;
  int workers = 1;
  std::size_t queue_limit = 10;  // events that may wait for a worker; more are refused at once
  std::chrono::nanoseconds termination_timeout = std::chrono::seconds{10};  // of a worker's callbacks

  // Of a pool that is one of several, each on the loop of a thread of its own.
  int first_worker = 0;            // the index of its first worker; those of its peers are others
  int all_workers = 0;             // of all together; 0 when it is the only one
  PoolPeers* peers = nullptr;      // borrowed
  std::size_t number_of_peer = 0;  // which of them it is
};

// A fixed number of workers and the line of events that wait for them. An event goes to a worker that is idle; when
// none is, to one whose handler is quick, to wait behind what that works on; else into the line. What waits behind a
// handler that turns out to be slow, or that died, is taken back. With peers on other threads, an event that would have
// to wait in line goes to an idle worker of theirs. A worker that dies is replaced in the background, and as long as
// that fails the events wait for the others. Lives on its loop's thread; outlives its jobs.
class WorkerPool {
 public:
  WorkerPool(Loop& loop, WorkerFactory& factory, PoolOptions options);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();

  // Starts all workers at once and returns when they are ready, or with the first error: then the function cannot run.
  Task<Result<void>> start();

  class Run;
  // co_await returns when the job is answered: by a worker, or with Why::busy when none came free by the job's deadline
  // for that (one that has passed never waits) or too many wait already, or with Why::timeout when the call's own
  // deadline came first. Counted in `statistics`, which outlives the wait. Destroying it gives the job up.
  Run run(Job& job, PoolStatistics& statistics);

  // The end of the pool: replaces no worker any more and runs the drain and termination callbacks of all that are idle,
  // each bounded by the termination timeout and the deadline. Called once no event comes any more.
  Task<void> wind_down(Deadline deadline);

  std::size_t size() const { return slots_.size(); }
  std::size_t idle() const { return idle_count_; }
  std::size_t waiting() const { return line_.size(); }  // in line; what waits behind a busy worker is not among them
  std::size_t alive() const;                            // at work or idle; the others are being replaced
  std::uint64_t restarts() const { return restarts_; }  // workers replaced since the start

 private:
  friend class Job;
  friend class Lending;
  friend class PoolSlot;

  // Looks after jobs that wait behind a busy worker, while there are any.
  class Watchman final : public Timer {
   public:
    Watchman(Loop& loop, WorkerPool& pool) : Timer(loop), pool_(pool) {}

   private:
    void fire() override { pool_.look_for_stalls(); }
    WorkerPool& pool_;
  };

  Task<void> start_first(PoolSlot& slot, std::optional<Error>& error, std::size_t& missing);
  Task<void> tend(PoolSlot& slot);
  Task<void> replace(PoolSlot& slot);
  Task<void> dismiss(PoolSlot& slot, Deadline deadline);
  Task<Result<void>> start_worker(PoolSlot& slot);

  void submit(Job& job);
  static void count(Job& job);
  void withdraw(Job& job);
  void late(Job& job);
  void refuse(Job& job);
  bool give(PoolSlot& slot, Job& job);
  void serve_line();
  PoolSlot* take_idle();
  PoolSlot* quick_one();
  void note_idle(PoolSlot& slot);
  void changed(PoolSlot& slot);
  void returned(Job& job);
  void look_for_stalls();
  bool lend(Job& job);
  void lend_line();
  void lent_back(Job& job, std::optional<WorkerIndex> worker, Result<Response> response);
  void tell_peers() {
    if (lending_) lending_->note(idle_count_, line_.size());
  }
  std::size_t all_workers() const;

  Loop& loop_;
  WorkerFactory& factory_;
  PoolOptions options_;
  std::vector<std::unique_ptr<PoolSlot>> slots_;
  List<PoolSlot> idle_;  // the one that was busy last at the back: it is the warmest, so it is the next
  std::size_t idle_count_ = 0;
  WaitingLine line_;
  bool serving_ = false;
  std::uint64_t restarts_ = 0;
  bool winding_down_ = false;
  Watchman watchman_;
  std::optional<Lending> lending_;  // with peers
  Group tenders_;                   // one a slot
};

class [[nodiscard]] WorkerPool::Run {
 public:
  Run(WorkerPool& pool, Job& job, PoolStatistics& statistics) : pool_(pool), job_(job), statistics_(statistics) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run();
  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiting);
  void await_resume();

 private:
  WorkerPool& pool_;
  Job& job_;
  PoolStatistics& statistics_;
  bool submitted_ = false;
};

inline WorkerPool::Run WorkerPool::run(Job& job, PoolStatistics& statistics) { return {*this, job, statistics}; }

}  // namespace nuclio::processor
