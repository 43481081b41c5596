// SPDX-License-Identifier: Apache-2.0
#include "k8s/work_queue.h"

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "base/check.h"
#include "loop/wait_list.h"

namespace nuclio::k8s {
namespace {

std::chrono::nanoseconds scattered(std::chrono::nanoseconds pause, double jitter) {
  thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_real_distribution<double> share{1 - jitter, 1 + jitter};
  return std::chrono::nanoseconds{static_cast<std::int64_t>(static_cast<double>(pause.count()) * share(random))};
}

}  // namespace

// A name is forgotten once it neither waits, nor is worked at, nor has failed last time.
struct WorkQueue::State final : private Timer {
  struct Item {
    bool ready = false;    // in the row
    bool working = false;  // handed out
    bool again = false;    // added meanwhile
    int failures = 0;
    std::optional<SteadyTime> due;  // to be added then
  };

  State(Loop& loop, const WorkQueueOptions& wanted) : Timer(loop), options(wanted), waiting(loop) {}

  void add(const ObjectName& name, Item& item) {
    forget_due(name, item);
    if (item.ready) return;
    if (item.working) {
      item.again = true;
      return;
    }
    item.ready = true;
    row.push_back(name);
    waiting.notify_one();
  }

  void add_after(const ObjectName& name, Item& item, std::chrono::nanoseconds pause) {
    if (item.ready || item.again) return;
    const SteadyTime when = Deadline::in(pause).when();
    if (item.due && *item.due <= when) return;
    forget_due(name, item);
    item.due = when;
    due.emplace(when, name);
    set_alarm();
  }

  ObjectName take() {
    ObjectName name = std::move(row.front());
    row.pop_front();
    Item& item = items.at(name);
    item.ready = false;
    item.working = true;
    ++at_work;
    return name;
  }

  void done(const ObjectName& name, bool failed) {
    const auto found = items.find(name);
    CHECK(found != items.end() && found->second.working);
    Item& item = found->second;
    item.working = false;
    --at_work;
    item.failures = failed ? item.failures + 1 : 0;
    if (std::exchange(item.again, false)) {
      add(name, item);
    } else if (failed) {
      add_after(name, item, scattered(pause_after(item.failures), options.jitter));
    } else if (!item.due) {
      items.erase(found);
    }
  }

  std::chrono::nanoseconds pause_after(int failures) const {
    std::chrono::nanoseconds pause = options.first_pause;
    for (int i = 1; i < failures && pause < options.longest_pause; ++i) pause *= 2;
    return std::min<std::chrono::nanoseconds>(pause, options.longest_pause);
  }

  WorkQueueOptions options;
  std::map<ObjectName, Item> items;
  std::deque<ObjectName> row;
  WaitList waiting;
  std::size_t at_work = 0;

 private:
  void forget_due(const ObjectName& name, Item& item) {
    if (!item.due) return;
    due.erase({*item.due, name});
    item.due.reset();
    set_alarm();
  }
  void set_alarm() { arm(due.empty() ? Deadline::never() : Deadline::at(due.begin()->first)); }
  void fire() override {
    const SteadyTime now = std::chrono::steady_clock::now();
    while (!due.empty() && due.begin()->first <= now) {
      const ObjectName name = due.begin()->second;
      add(name, items.at(name));  // takes it out of `due`
    }
    set_alarm();
  }

  std::set<std::pair<SteadyTime, ObjectName>> due;
};

WorkQueue::WorkQueue(Loop& loop, WorkQueueOptions options) : state_(std::make_unique<State>(loop, options)) {}

WorkQueue::~WorkQueue() { CHECK(state_->at_work == 0); }

void WorkQueue::add(ObjectName name) { state_->add(name, state_->items[name]); }

void WorkQueue::add_after(ObjectName name, std::chrono::nanoseconds pause) {
  state_->add_after(name, state_->items[name], pause);
}

Task<std::optional<WorkQueue::Work>> WorkQueue::next(Deadline deadline) {
  // Who was woken and does not take what it was woken for wakes another.
  struct WakeNext {
    State& state;
    ~WakeNext() {
      if (!state.row.empty()) state.waiting.notify_one();
    }
  };
  const WakeNext wake_next{*state_};
  while (state_->row.empty()) {
    const bool notified = co_await state_->waiting.wait(deadline);
    if (!notified && state_->row.empty()) co_return std::optional<Work>{};
  }
  co_return std::optional<Work>{Work{*this, state_->take()}};
}

std::size_t WorkQueue::size() const { return state_->row.size(); }

std::size_t WorkQueue::working() const { return state_->at_work; }

WorkQueue::Work::Work(WorkQueue& queue, ObjectName name) : queue_(&queue), name_(std::move(name)) {}

WorkQueue::Work::Work(Work&& other) noexcept
    : queue_(std::exchange(other.queue_, nullptr)), name_(std::move(other.name_)), failed_(other.failed_) {}

WorkQueue::Work& WorkQueue::Work::operator=(Work&& other) noexcept {
  if (this == &other) return *this;
  if (queue_) queue_->state_->done(name_, failed_);
  queue_ = std::exchange(other.queue_, nullptr);
  name_ = std::move(other.name_);
  failed_ = other.failed_;
  return *this;
}

WorkQueue::Work::~Work() {
  if (queue_) queue_->state_->done(name_, failed_);
}

const ObjectName& WorkQueue::Work::name() const { return name_; }

int WorkQueue::Work::failures() const { return queue_->state_->items.at(name_).failures; }

void WorkQueue::Work::failed() { failed_ = true; }

}  // namespace nuclio::k8s
