// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <coroutine>
#include <utility>

#include "loop/task.h"

namespace nuclio::http {

// What can be said about a begun task without knowing its result's type.
class AnyBegun {
 public:
  AnyBegun() = default;
  AnyBegun(const AnyBegun&) = delete;
  AnyBegun& operator=(const AnyBegun&) = delete;

  virtual bool done() const = 0;

  class Wait {
   public:
    explicit Wait(AnyBegun& first, AnyBegun* second = nullptr) : first_(first), second_(second) {}
    bool await_ready() const { return first_.done() || (second_ && second_->done()); }
    void await_suspend(std::coroutine_handle<> waiting) { when_done(waiting); }
    void await_resume() { when_done(std::noop_coroutine()); }

   private:
    void when_done(std::coroutine_handle<> resume) {
      first_.when_done(resume);
      if (second_) second_->when_done(resume);
    }
    AnyBegun& first_;
    AnyBegun* second_;
  };
  // co_await returns when it is done, or when the other one given is.
  Wait finished() { return Wait{*this}; }
  Wait finished_or(AnyBegun& other) { return Wait{*this, &other}; }

 protected:
  ~AnyBegun() = default;

 private:
  virtual void when_done(std::coroutine_handle<> resume) = 0;
};

// A task that runs at once up to its first suspension, so that its owner can look whether it is done before it waits,
// and can wait for the first of two. Destroying it cancels the task.
template <class T>
class [[nodiscard]] Begun final : public AnyBegun {
 public:
  explicit Begun(Task<T> task) : task_(std::move(task)) { task_.start(); }
  bool done() const override { return task_.done(); }
  T take() { return task_.take(); }  // once, when done

 private:
  void when_done(std::coroutine_handle<> resume) override { task_.set_waiting(resume); }
  Task<T> task_;
};

template <class T>
Begun<T> begin(Task<T> task) {
  return Begun<T>{std::move(task)};
}

}  // namespace nuclio::http
