// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstddef>

#include "loop/list.h"
#include "loop/loop.h"
#include "processor/job.h"

namespace nuclio::processor {

// Events that wait for a worker: first come, first served, until there are constantly too many. Then whoever comes last
// is served first: a line that is always full makes everybody wait its whole length, so that answers come when clients
// have stopped waiting for them, while the last to come can still be answered in good time. Lives on its loop's thread.
class WaitingLine {
 public:
  // More than `limit` wait only for those that come back from a worker.
  explicit WaitingLine(std::size_t limit) : limit_(limit) {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool overloaded(SteadyTime now) const;

  // False: there is no room for it. A job whose deadline comes before those in front of it can be through makes room
  // for one that has time: it is then in `dropped`, and the caller's to answer.
  bool enter(Job& job, SteadyTime now, Job*& dropped);
  // One that had been given to a worker already. It keeps its place: in front of all that came later.
  void enter_again(Job& job);
  void leave(Job& job);
  // The next to be served; null when nobody waits.
  Job* take(SteadyTime now);

 private:
  // A line that has not been empty for so long, and had to refuse somebody in that time, is no burst that will pass.
  static constexpr std::chrono::milliseconds kPatience{100};

  bool hopeless(const Job& oldest, SteadyTime now) const;

  std::size_t limit_;
  std::size_t size_ = 0;
  List<Resumption> jobs_;             // Job, the oldest in front
  SteadyTime filled_{};               // since when it has not been empty
  SteadyTime refused_{};              // when it was full last
  SteadyTime taken_{};                // when one was taken last, or filled_
  std::chrono::nanoseconds pace_{0};  // between two that were taken while others waited, on average
};

}  // namespace nuclio::processor
