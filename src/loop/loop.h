// SPDX-License-Identifier: Apache-2.0
// The event loop: readiness by epoll, timers, and messages from other threads. One loop runs on one thread, and what
// belongs to it (watches, timers, tasks, streams) is touched by no other thread; post() is the one exception.
#pragma once
#include <coroutine>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/list.h"

struct epoll_event;

namespace nuclio {

class Loop;

// Calls fire() once when its time comes. Disarmed by its destructor.
class Timer {
 public:
  explicit Timer(Loop& loop) : loop_(loop) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() { disarm(); }

  void arm(Deadline deadline);  // a second call moves it; never() disarms
  void disarm() {
    if (armed()) take_out();  // most are not, so no call is made for them
  }
  bool armed() const { return index_ != kIdle; }

 protected:
  virtual void fire() = 0;

 private:
  friend class Loop;
  void take_out();
  static constexpr std::size_t kIdle = static_cast<std::size_t>(-1);
  Loop& loop_;
  SteadyTime when_{};
  std::size_t index_ = kIdle;
};

// A coroutine that is to go on in the next round of the loop. Whoever wakes a coroutine from the middle of its own work
// (a lease given back, a queue filled) schedules it, so that the woken code never runs inside the waker.
class Resumption : public ListLink {
 public:
  std::coroutine_handle<> coroutine;
};

// Something that happens in memory rather than at a descriptor, and is looked at in each round of the loop, as long as
// it is linked. When nothing else is to be done, the loop arms all pollers, sleeps and disarms them; in between whoever
// makes it happen must wake the loop through a descriptor that it watches.
class Poller : public ListLink {
 public:
  virtual ~Poller() = default;
  // Takes what is there, with a bound on how much; true when that was anything, and then the loop does not sleep before
  // it has looked again. May unlink and destroy pollers, itself included.
  virtual bool poll() = 0;
  // About to sleep: from here on a wake-up is wanted. False when something is there already. Runs no other code.
  virtual bool arm() = 0;
  virtual void disarm() = 0;
};

// Readiness of one descriptor, edge-triggered. It does not own the descriptor and must be destroyed before it is
// closed. At most one coroutine waits for reading and one for writing.
class Watch {
 public:
  Watch(Loop& loop, int descriptor);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  enum class Direction { read, write };

  // The caller saw EAGAIN (or a short read): the next wait really waits.
  // The end of what the peer sends concerns readers only: a half-closed connection takes what is written.
  void drained(Direction direction) { side(direction).ready = direction == Direction::read && peer_gone_; }

  class Wait;
  // co_await gives true when ready, false when the deadline came first. Spurious readiness is possible.
  Wait readable(Deadline deadline);
  Wait writable(Deadline deadline);

  // The peer has closed its side or the connection broke; reading will tell which.
  bool peer_gone() const { return peer_gone_; }
  Loop& loop() const { return loop_; }

 private:
  friend class Loop;
  struct Side {
    bool ready = true;  // try first, wait after EAGAIN
    Wait* waiting = nullptr;
  };
  Side& side(Direction direction) { return direction == Direction::read ? read_ : write_; }
  void tell(int operation);
  void want_writing();
  void notify(std::uint32_t events);

  Loop& loop_;
  int descriptor_;
  bool told_of_writing_ = false;  // when it is possible
  bool peer_gone_ = false;
  Side read_;
  Side write_;
};

class [[nodiscard]] Watch::Wait final : private Timer {
 public:
  Wait(Watch& watch, Direction direction, Deadline deadline)
      : Timer(watch.loop_), watch_(watch), direction_(direction), deadline_(deadline) {}
  ~Wait() override {
    if (watch_.side(direction_).waiting == this) watch_.side(direction_).waiting = nullptr;
  }
  bool await_ready() const { return watch_.side(direction_).ready; }
  void await_suspend(std::coroutine_handle<> waiting);
  bool await_resume() const { return !timed_out_; }

 private:
  friend class Watch;
  void fire() override;
  Watch& watch_;
  Direction direction_;
  Deadline deadline_;
  bool timed_out_ = false;
  Resumption resumption_;
};

class Loop {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Runs until stop(). The calling thread becomes the loop's thread.
  void run();
  // run() returns after the current round. From the loop's own thread; others post() it.
  void stop() { stopping_ = true; }
  // Runs `message` on the loop's thread in its next round. Any thread; the loop must outlive the call.
  void post(std::function<void()> message);
  // Resumes in the next round, unless it is destroyed before.
  void schedule(Resumption& resumption) { resumptions_.push_back(resumption); }

  // Looks at `poller` in each round until it is unlinked or destroyed.
  void add(Poller& poller) { pollers_.push_back(poller); }

  // The steady clock as of this round's wake-up: cheap, and exact enough for anything but measuring.
  SteadyTime now() const { return now_; }

  class Sleep;
  Sleep sleep_until(Deadline deadline);
  Sleep sleep(std::chrono::nanoseconds duration);
  class Yield;
  // Lets everything else that is ready run first.
  Yield yield();

 private:
  friend class Timer;
  friend class Watch;
  static constexpr int kBatch = 256;

  void round();
  bool poll();
  bool arm();
  int wait();
  void set_alarm();
  void fire_timers();
  void run_messages();
  void forget(Watch* watch);  // it may be among the events of this round that are still to be delivered
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);
  void place(Timer* timer, std::size_t index);

  int epoll_ = -1;
  int wake_ = -1;
  int alarm_ = -1;  // wakes the wait for the timers
  bool stopping_ = false;
  SteadyTime now_;
  SteadyTime alarm_at_ = SteadyTime::max();  // what alarm_ is set to; max() when to nothing
  std::vector<Timer*> timers_;               // binary heap, soonest first
  List<Resumption> resumptions_;
  List<Poller> pollers_;
  std::vector<epoll_event> events_;
  int event_at_ = 0;
  int event_count_ = 0;
  std::mutex messages_mutex_;
  std::vector<std::function<void()>> messages_;
};

class [[nodiscard]] Loop::Sleep final : private Timer {
 public:
  Sleep(Loop& loop, Deadline deadline) : Timer(loop), deadline_(deadline) {}
  bool await_ready() const { return deadline_.passed(); }
  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    arm(deadline_);
  }
  void await_resume() const {}

 private:
  void fire() override { waiting_.resume(); }
  Deadline deadline_;
  std::coroutine_handle<> waiting_;
};

class [[nodiscard]] Loop::Yield {
 public:
  explicit Yield(Loop& loop) : loop_(loop) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    resumption_.coroutine = waiting;
    loop_.schedule(resumption_);
  }
  void await_resume() const {}

 private:
  Loop& loop_;
  Resumption resumption_;
};

inline Loop::Sleep Loop::sleep_until(Deadline deadline) { return {*this, deadline}; }
inline Loop::Sleep Loop::sleep(std::chrono::nanoseconds duration) { return {*this, Deadline::in(duration)}; }
inline Loop::Yield Loop::yield() { return Yield{*this}; }
inline Watch::Wait Watch::readable(Deadline deadline) { return {*this, Direction::read, deadline}; }
inline Watch::Wait Watch::writable(Deadline deadline) { return {*this, Direction::write, deadline}; }

}  // namespace nuclio
