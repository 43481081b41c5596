// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <coroutine>
#include <cstddef>
#include <exception>

#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio {

// Background work, owned by whoever started it: nothing is detached. Destroying the group cancels all that is still
// running. A task that ends is freed at once. Lives on its loop's thread.
class Group {
 public:
  explicit Group(Loop& loop) : loop_(loop) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() { cancel(); }

  // Starts it: it runs up to its first suspension inside this call.
  void spawn(Task<void> task);
  void cancel();
  std::size_t size() const { return size_; }

  class Empty;
  // co_await gives true once no task is left, false when the deadline came first. One coroutine waits at a time.
  Empty empty(Deadline deadline = Deadline::never());

 private:
  struct Root;
  struct Member : ListLink {
    std::coroutine_handle<> frame;
    Group* group = nullptr;
  };
  static Root run(Task<void> task);
  void ended();

  Loop& loop_;
  List<Member> members_;
  std::size_t size_ = 0;
  Empty* waiting_ = nullptr;
};

class [[nodiscard]] Group::Empty final : private Timer {
 public:
  Empty(Group& group, Deadline deadline) : Timer(group.loop_), group_(group), deadline_(deadline) {}
  ~Empty() override {
    if (group_.waiting_ == this) group_.waiting_ = nullptr;
  }
  bool await_ready() const { return group_.size_ == 0; }
  void await_suspend(std::coroutine_handle<> waiting) {
    CHECK(!group_.waiting_);
    group_.waiting_ = this;
    resumption_.coroutine = waiting;
    arm(deadline_);
  }
  bool await_resume() const { return group_.size_ == 0; }

 private:
  friend class Group;
  void fire() override {
    group_.waiting_ = nullptr;
    resumption_.coroutine.resume();
  }
  Group& group_;
  Deadline deadline_;
  Resumption resumption_;
};

inline Group::Empty Group::empty(Deadline deadline) { return {*this, deadline}; }

}  // namespace nuclio
