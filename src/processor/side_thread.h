// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"

namespace nuclio::processor {

// Work that may block, on a thread of its own, waited for on the loop. A thread cannot be stopped from outside: when
// this is destroyed before the work is done, the thread is left behind, so the work must own all that it uses.
class SideThread {
 public:
  SideThread(Loop& loop, std::function<void()> work);
  SideThread(const SideThread&) = delete;
  SideThread& operator=(const SideThread&) = delete;
  ~SideThread();

  bool running() const { return !done_; }
  // False when the deadline came first. One or more coroutines may wait.
  Task<bool> finished(Deadline deadline);
  // How many threads of this process were left behind: with any, it must leave without tearing down what they use.
  static int left_behind();

 private:
  // Shared by this object and its thread, either of which may end first.
  struct Link {
    std::mutex mutex;
    SideThread* owner;  // null once it is gone
  };

  bool done_ = false;
  WaitList changed_;
  std::shared_ptr<Link> link_;
  std::thread thread_;
};

}  // namespace nuclio::processor
