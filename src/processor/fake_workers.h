// SPDX-License-Identifier: Apache-2.0
// Workers and a factory that do what a test says.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "loop/loop.h"
#include "loop/wait_list.h"
#include "processor/job.h"
#include "processor/worker.h"

namespace nuclio::processor {

class FakeWorker;

// Starts a FakeWorker a call. What it made last can be found by index as long as it lives.
class FakeFactory final : public WorkerFactory {
 public:
  explicit FakeFactory(Loop& loop) : changed_(loop) {}
  Task<Result<std::unique_ptr<Worker>>> start(WorkerIdentity identity) override;

  // The next starts fail with these, first come first served; "" does not fail.
  std::deque<std::string> failures;
  // Starts wait until this is false.
  bool hold = false;
  void release() {
    hold = false;
    changed_.notify_all();
  }
  FakeWorker& worker(int index) { return *workers_.at(index); }
  int started = 0;
  int alive = 0;
  std::vector<WorkerIdentity> identities;
  std::vector<std::string> callbacks;  // "drain 0", "terminate 0"

 private:
  friend class FakeWorker;
  WaitList changed_;
  std::vector<FakeWorker*> workers_;
};

class FakeWorker final : public Worker {
 public:
  FakeWorker(FakeFactory& factory, WorkerIndex index) : factory_(factory), index_(index) { ++factory_.alive; }
  ~FakeWorker() override { --factory_.alive; }

  void belongs_to(WorkerOwner& owner) override { owner_ = &owner; }
  WorkerIndex index() const override { return index_; }
  bool usable() const override { return state == State::good; }
  bool ended() const override { return state == State::dead; }
  int jobs() const override { return static_cast<int>(held.size()) + (state == State::settling ? 1 : 0); }
  int room() const override { return usable() ? depth - jobs() : 0; }
  bool take(Job& job) override {
    if (!takes) return false;
    ++calls;
    if (hold) {
      held.push_back(&job);
    } else {
      reply(job);
    }
    return true;
  }
  // It begins its first job at once, and the next when that is answered.
  bool take_back(Job& job) override {
    if (&job == held.front()) return false;
    std::erase(held, &job);
    return true;
  }
  void return_waiting() override {
    if (keep_behind) return;
    depth = 1;
    while (held.size() > 1) {
      Job& job = *held.back();
      held.pop_back();
      owner_->returned(job);
    }
  }
  void give_up(Job& job, GiveUp why) override {
    given_up.push_back(why);
    return_waiting();  // it has begun the first, which is the one
    std::erase(held, &job);
    state = State::settling;
  }
  Task<void> drain(Deadline) override {
    factory_.callbacks.push_back("drain " + std::to_string(index_.value()));
    co_return;
  }
  Task<void> terminate(Deadline) override {
    factory_.callbacks.push_back("terminate " + std::to_string(index_.value()));
    co_return;
  }

  enum class State { good, settling, dead } state = State::good;
  int calls = 0;
  int depth = 1;
  bool takes = true;
  bool hold = false;         // keeps what it takes until answer_first()
  bool keep_behind = false;  // never counts as slow
  std::vector<Job*> held;
  std::vector<GiveUp> given_up;
  std::function<Result<Response>(const Event&)> answer;
  void answer_first() {
    Job& job = *held.front();
    held.erase(held.begin());
    reply(job);
    owner_->changed();
  }
  void die() {
    return_waiting();
    state = State::dead;
    if (!held.empty()) std::exchange(held, {}).front()->answer(fail(Why::unavailable, "it died"));
    owner_->changed();
  }
  void settled() {
    state = State::good;
    owner_->changed();
  }

 private:
  void reply(Job& job) {
    auto one = [&](const Event& event) -> Result<Response> {
      return answer ? answer(event) : Response{.body = std::string{event.body}};
    };
    if (job.kind() == Job::Kind::single) return job.answer(one(job.event()));
    Responses responses;
    for (const Event& event : job.events()) responses.push_back(one(event));
    job.answer_batch(std::move(responses));
  }

  FakeFactory& factory_;
  WorkerIndex index_;
  WorkerOwner* owner_ = nullptr;
};

inline Task<Result<std::unique_ptr<Worker>>> FakeFactory::start(WorkerIdentity identity) {
  identities.push_back(identity);
  ++started;
  std::string failure;
  if (!failures.empty()) {
    failure = failures.front();
    failures.pop_front();
  }
  while (hold) (void)co_await changed_.wait();
  if (!failure.empty()) co_return fail(Why::invalid, failure);
  auto worker = std::make_unique<FakeWorker>(*this, identity.index);
  auto index = static_cast<std::size_t>(identity.index.value());
  if (workers_.size() <= index) workers_.resize(index + 1);
  workers_[index] = worker.get();
  co_return std::unique_ptr<Worker>{std::move(worker)};
}

}  // namespace nuclio::processor
