// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "k8s/resource.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::k8s {

struct WorkQueueOptions {
  std::chrono::milliseconds first_pause{50};  // before a key that failed is tried again; doubles with each failure
  std::chrono::milliseconds longest_pause{60'000};
  double jitter = 0.1;  // of a pause, so that not all come back at once
};

// Names of objects to look at. A name that is in it already is not added again; one that is being worked at is handed
// out again only when that is done, so that no two look at the same object at once. Lives on its loop's thread;
// outlives its Work and those who wait for it.
class WorkQueue {
 public:
  WorkQueue(Loop& loop, WorkQueueOptions options);
  ~WorkQueue();

  void add(ObjectName name);
  void add_after(ObjectName name, std::chrono::nanoseconds pause);  // the sooner of two counts

  // Who works at a name; its end gives the name back. Say failed() to have it back after a pause, else its count of
  // failures begins anew.
  class Work {
   public:
    Work(Work&&) noexcept;
    Work& operator=(Work&&) noexcept;
    ~Work();
    const ObjectName& name() const;
    int failures() const;  // in a row, before this one
    void failed();

   private:
    friend class WorkQueue;
    Work(WorkQueue& queue, ObjectName name);
    WorkQueue* queue_;
    ObjectName name_;
    bool failed_ = false;
  };
  // The next one, first in first out; nothing at the deadline. Any number of coroutines may wait.
  Task<std::optional<Work>> next(Deadline deadline);

  std::size_t size() const;     // that wait to be worked at now
  std::size_t working() const;  // that are being worked at

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nuclio::k8s
