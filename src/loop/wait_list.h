// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <coroutine>

#include "loop/loop.h"

namespace nuclio {

// Coroutines that wait until somebody notifies them. Waking goes through the loop, so the woken never run inside the
// waker; whoever is woken looks again at what it waited for. A waiter that is cancelled between the two takes its
// notification with it: where one notification stands for one thing to be had, hand the thing over instead. Lives on
// its loop's thread and outlives its waiters.
class WaitList {
 public:
  explicit WaitList(Loop& loop) : loop_(loop) {}

  class [[nodiscard]] Wait final : public Resumption, private Timer {
   public:
    Wait(WaitList& list, Deadline deadline) : Timer(list.loop_), list_(list), deadline_(deadline) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
      coroutine = waiting;
      list_.waiting_.push_back(*this);
      arm(deadline_);
    }
    bool await_resume() const { return notified_; }

   private:
    friend class WaitList;
    void fire() override {
      unlink();
      coroutine.resume();
    }
    WaitList& list_;
    Deadline deadline_;
    bool notified_ = false;
  };

  // co_await gives true when notified, false when the deadline came first.
  Wait wait(Deadline deadline = Deadline::never()) { return {*this, deadline}; }
  void notify_one() {
    if (auto* first = static_cast<Wait*>(waiting_.pop_front())) wake(*first);
  }
  void notify_all() {
    while (!waiting_.empty()) notify_one();
  }
  bool empty() const { return waiting_.empty(); }

 private:
  void wake(Wait& wait) {
    wait.notified_ = true;
    wait.disarm();
    loop_.schedule(wait);
  }
  Loop& loop_;
  List<Resumption> waiting_;
};

}  // namespace nuclio
