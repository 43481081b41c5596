// SPDX-License-Identifier: Apache-2.0
// For tests of workers: who has one, and a way to have an event answered without a pool.
#pragma once
#include <vector>

#include "loop/loop.h"
#include "loop/task.h"
#include "processor/job.h"
#include "processor/worker.h"

namespace nuclio::processor {

class TestOwner : public WorkerOwner {
 public:
  void changed() override { ++changes; }
  void returned(Job& job) override { back.push_back(&job); }
  int changes = 0;
  std::vector<Job*> back;
};

template <class Condition>
Task<bool> until(Loop& loop, Condition condition) {
  while (!condition()) co_await loop.sleep(std::chrono::milliseconds{1});
  co_return true;
}

// The worker's answer to one event.
inline Task<Result<Response>> ask(Loop& loop, Worker& worker, const Event& event, Call call = {}) {
  Job job{loop, event, call, Deadline::never()};
  CHECK(worker.take(job));
  while (!job.answered()) co_await loop.sleep(std::chrono::milliseconds{1});
  co_return std::move(job.response());
}

inline Task<Result<Responses>> ask_batch(Loop& loop, Worker& worker, std::span<const Event> events, Call call = {}) {
  Job job{loop, Job::Kind::batch, events, call, Deadline::never()};
  CHECK(worker.take(job));
  while (!job.answered()) co_await loop.sleep(std::chrono::milliseconds{1});
  co_return job.responses();
}

}  // namespace nuclio::processor
