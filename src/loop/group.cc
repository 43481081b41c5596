// SPDX-License-Identifier: Apache-2.0
#include "loop/group.h"

#include <utility>

namespace nuclio {

// The outermost coroutine of a spawned task. It frees itself when it ends, and is freed by its group otherwise.
struct Group::Root {
  struct promise_type {
    Member member;

    Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Free {
        bool await_ready() noexcept { return false; }
        void await_suspend(std::coroutine_handle<promise_type> done) noexcept {
          Group* group = done.promise().member.group;
          done.destroy();
          group->ended();
        }
        void await_resume() noexcept {}
      };
      return Free{};
    }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<promise_type> frame;
};

Group::Root Group::run(Task<void> task) { co_await task; }

void Group::spawn(Task<void> task) {
  Root root = run(std::move(task));
  Member& member = root.frame.promise().member;
  member.frame = root.frame;
  member.group = this;
  members_.push_back(member);
  ++size_;
  root.frame.resume();
}

void Group::ended() {
  --size_;
  if (size_ > 0 || !waiting_) return;
  Empty* waiting = std::exchange(waiting_, nullptr);
  waiting->disarm();
  loop_.schedule(waiting->resumption_);
}

void Group::cancel() {
  while (Member* member = members_.pop_front()) {
    --size_;
    member->frame.destroy();
  }
}

}  // namespace nuclio
