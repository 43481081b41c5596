// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "loop/deadline.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"

namespace nuclio {

// A thread with a loop of its own, which runs what other loops ask it for. Owned by one thread; the loops that ask must
// outlive it.
class LoopThread {
 public:
  // `name` is what debuggers and top show, up to 15 bytes.
  explicit LoopThread(std::string name);
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  // Waits for its end.
  ~LoopThread();

  Loop& loop() { return loop_; }

  // Runs make() and the Task<T> that it gives over there, and gives the result over here, or nothing when the deadline
  // came first; the task goes on then, as it does when the caller is cancelled, and its result is dropped. What `make`
  // holds and T are moved between the threads, so nothing in them may belong to a loop.
  template <class Make>
  auto run(Loop& here, Make make, Deadline deadline = Deadline::never());

  // Stops the loop; what still runs on it is cancelled there, and then `last` is called there. False when it was not
  // over by the deadline, which it waits for: the thread is then lost in somebody's code, and the program can only
  // leave without tearing down what that uses.
  bool end(Deadline deadline, std::function<void()> last = {});

 private:
  template <class T>
  struct Answer {
    explicit Answer(Loop& here) : changed(here) {}
    WaitList changed;
    std::optional<T> value;
  };
  template <class T>
  static Task<void> work(std::function<Task<T>()> make, std::shared_ptr<Answer<T>> answer, Loop& here);
  template <class T>
  Task<std::optional<T>> ask(Loop& here, std::function<Task<T>()> make, Deadline deadline);
  void live(std::promise<void> over);

  Loop loop_;
  Group working_{loop_};
  std::function<void()> last_;
  std::future<void> over_;
  std::thread thread_;
};

template <class T>
Task<void> LoopThread::work(std::function<Task<T>()> make, std::shared_ptr<Answer<T>> answer, Loop& here) {
  auto value = std::make_shared<T>(co_await make());
  here.post([answer = std::move(answer), value = std::move(value)] {
    answer->value.emplace(std::move(*value));
    answer->changed.notify_all();
  });
}

template <class T>
Task<std::optional<T>> LoopThread::ask(Loop& here, std::function<Task<T>()> make, Deadline deadline) {
  auto answer = std::make_shared<Answer<T>>(here);
  loop_.post([this, &here, make = std::move(make), answer] { working_.spawn(work<T>(make, answer, here)); });
  while (!answer->value) {
    bool in_time = co_await answer->changed.wait(deadline);
    if (!in_time) break;
  }
  co_return std::move(answer->value);
}

template <class Make>
auto LoopThread::run(Loop& here, Make make, Deadline deadline) {
  using T = decltype(std::declval<Make&>()().take());
  return ask<T>(here, std::function<Task<T>()>{std::move(make)}, deadline);
}

}  // namespace nuclio
