// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "loop/frame_pool.h"
#include "loop/task.h"

namespace nuclio::http {

// What can be said about a begun task without knowing its result's type.
class AnyBegun {
 public:
  struct Promise {
    std::coroutine_handle<> waiting;

    std::suspend_never initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Resume {
        std::coroutine_handle<> waiting;
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<>) noexcept { return waiting; }
        void await_resume() noexcept {}
      };
      return Resume{waiting ? waiting : std::noop_coroutine()};
    }
    void unhandled_exception() noexcept { std::terminate(); }
  };

  AnyBegun(const AnyBegun&) = delete;
  AnyBegun& operator=(const AnyBegun&) = delete;

  bool done() const { return frame_.done(); }

  class Wait {
   public:
    explicit Wait(AnyBegun& first, AnyBegun* second = nullptr) : first_(first), second_(second) {}
    bool await_ready() const { return first_.done() || (second_ && second_->done()); }
    void await_suspend(std::coroutine_handle<> waiting) { resume_when_done(waiting); }
    void await_resume() { resume_when_done(nullptr); }

   private:
    void resume_when_done(std::coroutine_handle<> waiting) {
      first_.promise_.waiting = waiting;
      if (second_) second_->promise_.waiting = waiting;
    }
    AnyBegun& first_;
    AnyBegun* second_;
  };
  // co_await returns when it is done, or when the other one given is.
  Wait finished() { return Wait{*this}; }
  Wait finished_or(AnyBegun& other) { return Wait{*this, &other}; }

 protected:
  AnyBegun(std::coroutine_handle<> frame, Promise& promise) : frame_(frame), promise_(promise) {}
  ~AnyBegun() { frame_.destroy(); }

 private:
  std::coroutine_handle<> frame_;
  Promise& promise_;
};

// A task that runs at once up to its first suspension, so that its owner can look whether it is done before it waits,
// and can wait for the first of two. Destroying it cancels the task.
template <class T>
class [[nodiscard]] Begun final : public AnyBegun {
 public:
  struct promise_type : Promise {
    std::optional<T> value;

    static void* operator new(std::size_t size) { return detail::FramePool::allocate(size); }
    static void operator delete(void* frame, std::size_t size) { detail::FramePool::free(frame, size); }

    Begun get_return_object() { return Begun{*this}; }
    template <class U>
    void return_value(U&& result) {
      value.emplace(std::forward<U>(result));
    }
  };

  T take() { return std::move(*value_of_.value); }  // once, when done

 private:
  explicit Begun(promise_type& promise)
      : AnyBegun(std::coroutine_handle<promise_type>::from_promise(promise), promise), value_of_(promise) {}
  promise_type& value_of_;
};

template <class T>
Begun<T> begin(Task<T> task) {
  co_return co_await task;
}

}  // namespace nuclio::http
