// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "base/check.h"
#include "loop/frame_pool.h"

namespace nuclio {

namespace detail {

struct TaskPromiseBase {
  std::coroutine_handle<> waiting = std::noop_coroutine();

  static void* operator new(std::size_t size) { return FramePool::allocate(size); }
  static void operator delete(void* frame, std::size_t size) { FramePool::free(frame, size); }

  struct ResumeWaiting {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) noexcept {
      return done.promise().waiting;
    }
    void await_resume() noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  ResumeWaiting final_suspend() noexcept { return {}; }
  // Errors are values here; an exception that comes this far is a mistake of ours.
  void unhandled_exception() noexcept { std::terminate(); }
};

template <class T>
struct TaskPromise : TaskPromiseBase {
  std::optional<T> value;
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() { return std::move(*value); }
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  void return_void() noexcept {}
  void take() noexcept {}
};

}  // namespace detail

// A coroutine that belongs to whoever holds it. It begins when it is first awaited (or given to Group::spawn) and lives
// on the thread of the loop it runs on. Destroying it cancels it: only destructors run then, so clean-up sits in
// destructors.
template <class T = void>
class [[nodiscard]] Task {
 public:
  struct promise_type : detail::TaskPromise<T> {
    Task get_return_object() { return Task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
  };

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (frame_) frame_.destroy();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) noexcept {
    frame_.promise().waiting = waiting;
    return frame_;
  }
  T await_resume() { return frame_.promise().take(); }

  // co_await task.in_place() gives the result where it is, in the task, which the caller must keep: for what is too
  // large to be moved for nothing. Once.
  auto in_place() {
    struct InPlace {
      Task& task;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) noexcept {
        return task.await_suspend(waiting);
      }
      T& await_resume() { return *task.frame_.promise().value; }
    };
    return InPlace{*this};
  }

  // For a test or another place that is no coroutine: runs up to the first suspension.
  void start() { frame_.resume(); }
  bool done() const { return frame_.done(); }
  // After start(): who goes on when it is done. Not to be called once it is.
  void set_waiting(std::coroutine_handle<> waiting) { frame_.promise().waiting = waiting; }
  T take() {
    CHECK(frame_.done());
    return frame_.promise().take();
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

}  // namespace nuclio
