// SPDX-License-Identifier: Apache-2.0
#include "loop/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "loop/frame_pool.h"

namespace nuclio {

void Timer::arm(Deadline deadline) {
  if (deadline.is_never()) return disarm();
  when_ = deadline.when();
  if (!armed()) {
    loop_.timers_.push_back(this);
    index_ = loop_.timers_.size() - 1;
  }
  loop_.sift_up(index_);
  loop_.sift_down(index_);
}

void Timer::take_out() {
  std::size_t hole = std::exchange(index_, kIdle);
  Timer* last = loop_.timers_.back();
  loop_.timers_.pop_back();
  if (last == this) return;
  loop_.place(last, hole);
  loop_.sift_up(hole);
  loop_.sift_down(last->index_);
}

void Loop::place(Timer* timer, std::size_t index) {
  timers_[index] = timer;
  timer->index_ = index;
}

void Loop::sift_up(std::size_t index) {
  Timer* timer = timers_[index];
  while (index > 0) {
    std::size_t parent = (index - 1) / 2;
    if (timers_[parent]->when_ <= timer->when_) break;
    place(timers_[parent], index);
    index = parent;
  }
  place(timer, index);
}

void Loop::sift_down(std::size_t index) {
  Timer* timer = timers_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= timers_.size()) break;
    if (child + 1 < timers_.size() && timers_[child + 1]->when_ < timers_[child]->when_) ++child;
    if (timer->when_ <= timers_[child]->when_) break;
    place(timers_[child], index);
    index = child;
  }
  place(timer, index);
}

Watch::Watch(Loop& loop, int descriptor) : loop_(loop), descriptor_(descriptor) { tell(EPOLL_CTL_ADD); }

void Watch::tell(int operation) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  if (told_of_writing_) event.events |= EPOLLOUT;
  event.data.ptr = this;
  CHECK(epoll_ctl(loop_.epoll_, operation, descriptor_, &event) == 0);
}

// Most descriptors always take what is written, and a Unix socket tells each time that its peer has read something.
// When it is asked for, epoll looks whether it is so already.
void Watch::want_writing() {
  if (std::exchange(told_of_writing_, true)) return;
  tell(EPOLL_CTL_MOD);
}

Watch::~Watch() {
  CHECK(!read_.waiting && !write_.waiting);
  epoll_ctl(loop_.epoll_, EPOLL_CTL_DEL, descriptor_, nullptr);
  loop_.forget(this);
}

// A resumed coroutine may destroy this watch, so nothing here touches it afterwards; when both sides were waited for,
// the writer goes on in the next round.
void Watch::notify(std::uint32_t events) {
  constexpr std::uint32_t kGone = EPOLLHUP | EPOLLERR;
  if (events & (EPOLLRDHUP | kGone)) peer_gone_ = true;
  bool read = events & (EPOLLIN | EPOLLRDHUP | kGone);
  bool write = events & (EPOLLOUT | kGone);
  if (read) read_.ready = true;
  if (write) write_.ready = true;
  Wait* reader = read ? std::exchange(read_.waiting, nullptr) : nullptr;
  Wait* writer = write ? std::exchange(write_.waiting, nullptr) : nullptr;
  if (reader) reader->disarm();
  if (writer) writer->disarm();
  if (reader && writer) loop_.schedule(writer->resumption_);
  if (reader) {
    reader->resumption_.coroutine.resume();
  } else if (writer) {
    writer->resumption_.coroutine.resume();
  }
}

void Watch::Wait::await_suspend(std::coroutine_handle<> waiting) {
  CHECK(!watch_.side(direction_).waiting);
  resumption_.coroutine = waiting;
  watch_.side(direction_).waiting = this;
  if (direction_ == Direction::write) watch_.want_writing();
  arm(deadline_);
}

void Watch::Wait::fire() {
  watch_.side(direction_).waiting = nullptr;
  timed_out_ = true;
  resumption_.coroutine.resume();
}

Loop::Loop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      alarm_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  CHECK(epoll_ >= 0 && wake_ >= 0 && alarm_ >= 0);
  now_ = std::chrono::steady_clock::now();
  events_.resize(kBatch);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &wake_;
  CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0);
  event.events = EPOLLIN | EPOLLET;  // it is never read
  event.data.ptr = &alarm_;
  CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, alarm_, &event) == 0);
}

Loop::~Loop() {
  CHECK(timers_.empty());  // whatever waits on a loop must be gone before it
  close(alarm_);
  close(wake_);
  close(epoll_);
  detail::FramePool::release();
}

void Loop::run() {
  stopping_ = false;
  while (!stopping_) round();
}

void Loop::post(std::function<void()> message) {
  bool first;
  {
    std::lock_guard lock(messages_mutex_);
    first = messages_.empty();
    messages_.push_back(std::move(message));
  }
  if (!first) return;
  std::uint64_t one = 1;
  while (write(wake_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

bool Loop::poll() {
  bool something = false;
  List<Poller> batch;
  while (Poller* next = pollers_.pop_front()) batch.push_back(*next);
  while (Poller* next = batch.pop_front()) {
    pollers_.push_back(*next);
    if (next->poll()) something = true;
  }
  return something;
}

bool Loop::arm() {
  bool quiet = true;
  pollers_.for_each([&](Poller& poller) { quiet = poller.arm() && quiet; });
  return quiet;
}

// Setting the alarm costs a system call, and a timer that is armed is mostly disarmed before its time. So the alarm is
// only ever moved to an earlier time: when it rings for nobody, it is set anew.
void Loop::set_alarm() {
  if (timers_.empty() || timers_.front()->when_ >= alarm_at_) return;
  alarm_at_ = timers_.front()->when_;
  // 0 would mean never.
  auto since_boot = std::max(std::chrono::nanoseconds{1}, std::chrono::nanoseconds{alarm_at_.time_since_epoch()});
  itimerspec when{};
  when.it_value.tv_sec = since_boot.count() / 1'000'000'000;
  when.it_value.tv_nsec = since_boot.count() % 1'000'000'000;
  CHECK(timerfd_settime(alarm_, TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

// Waits for events, unless there is work at hand, and gives their number.
int Loop::wait() {
  bool something = !pollers_.empty() && poll();
  bool sleep = !something && resumptions_.empty() && !stopping_;
  bool armed = sleep && !pollers_.empty();
  if (armed) sleep = arm();
  if (sleep) set_alarm();
  int count = epoll_wait(epoll_, events_.data(), kBatch, sleep ? -1 : 0);
  CHECK(count >= 0 || errno == EINTR);
  if (armed) pollers_.for_each([](Poller& poller) { poller.disarm(); });
  return std::max(count, 0);
}

void Loop::round() {
  event_count_ = wait();
  now_ = std::chrono::steady_clock::now();
  for (event_at_ = 0; event_at_ < event_count_;) {
    epoll_event event = events_[event_at_++];
    if (event.data.ptr == &wake_) {
      run_messages();
    } else if (event.data.ptr == &alarm_) {
      alarm_at_ = SteadyTime::max();
    } else if (event.data.ptr != this) {
      static_cast<Watch*>(event.data.ptr)->notify(event.events);
    }
  }
  event_count_ = event_at_ = 0;
  fire_timers();

  // Only what was scheduled before this point: what they schedule waits for the next round, so that descriptors and
  // timers are never starved.
  List<Resumption> batch;
  while (Resumption* next = resumptions_.pop_front()) batch.push_back(*next);
  while (Resumption* next = batch.pop_front()) next->coroutine.resume();
}

void Loop::fire_timers() {
  while (!timers_.empty() && timers_.front()->when_ <= now_) {
    Timer* timer = timers_.front();
    timer->disarm();
    timer->fire();
  }
}

void Loop::run_messages() {
  std::uint64_t count = 0;
  while (read(wake_, &count, sizeof count) < 0 && errno == EINTR) {
  }
  std::vector<std::function<void()>> messages;
  {
    std::lock_guard lock(messages_mutex_);
    messages.swap(messages_);
  }
  for (auto& message : messages) message();
}

void Loop::forget(Watch* watch) {
  for (int i = event_at_; i < event_count_; ++i)
    if (events_[i].data.ptr == watch) events_[i].data.ptr = this;  // "nobody": round() skips it
}

}  // namespace nuclio
