// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "processor/side_thread.h"

namespace nuclio::processor {

// What a process and all that it has started take of memory, where a page that several of them share counts once: the
// sum of their proportional set sizes. Nothing when the kernel does not tell of the process itself; one of the others
// that has gone meanwhile, or is none of our user's, counts nothing. `proc` is where /proc is.
//
// The sum of resident sizes would be simpler and many times too large, since workers that were forked from a warm
// parent share most of what they have. What the cgroup says has the page cache in it, and on a laptop there is none.
std::optional<Bytes> memory_of_tree(const std::string& proc, pid_t root);

// How those who show it get it.
using GetMemory = std::function<Task<std::optional<Bytes>>()>;

// How much memory the processor and its workers take. To find out takes 0.6 ms of processor time for each Python
// worker, 40 ms for 64 of them, and 20 ms for each GiB, so a thread of its own does it, when somebody asks, and at most
// during a hundredth of the time. Lives on its loop's thread.
class MemoryMeter {
 public:
  explicit MemoryMeter(Loop& loop) : loop_(loop) {}

  // As it is now, or some seconds ago; nothing when nobody knows.
  Task<std::optional<Bytes>> measure();
  // Waits until its thread has ended. False when the deadline came first.
  Task<bool> finished(Deadline deadline);

 private:
  struct Found {
    std::optional<Bytes> memory;
    std::chrono::nanoseconds took{0};
  };
  void take();

  Loop& loop_;
  std::optional<Bytes> last_;
  SteadyTime next_{};             // no sooner
  std::shared_ptr<Found> found_;  // what the thread, which shares it, finds; null once it was taken
  std::unique_ptr<SideThread> thread_;
};

}  // namespace nuclio::processor
