// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "loop/list.h"
#include "loop/loop.h"
#include "loop/wait_list.h"
#include "processor/worker.h"

namespace nuclio::processor {

class WorkerPool;

// A worker's place in its pool; idle ones are linked into the pool's list. What happens to the worker is passed on to
// the pool.
class PoolSlot final : public ListLink, public WorkerOwner {
 public:
  PoolSlot(WorkerPool& pool, Loop& loop, WorkerIndex number) : index(number), tender(loop), pool_(pool) {}

  const WorkerIndex index;
  std::unique_ptr<Worker> worker;  // null while it is replaced
  SteadyTime started{};
  bool worked = false;                    // it has been given a job since
  std::chrono::milliseconds back_off{0};  // before the next attempt to start one
  std::uint64_t given = 0;                // jobs
  // Of those, done with when somebody looked last while several were here: see look_for_stalls().
  std::optional<std::uint64_t> seen_done;
  WaitList tender;  // who replaces the worker waits here

  std::uint64_t done() const { return given - static_cast<std::uint64_t>(worker->jobs()); }

 private:
  void changed() override;
  void returned(Job& job) override;
  WorkerPool& pool_;
};

}  // namespace nuclio::processor
