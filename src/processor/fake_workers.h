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
#include "processor/worker.h"

namespace nuclio::processor {

class FakeWorker;

// Starts a FakeWorker a call. What it made last can be found by index as long as it lives.
class FakeFactory final : public WorkerFactory {
 public:
  explicit FakeFactory(Loop& loop) : loop_(loop), changed_(loop) {}
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
  Loop& loop_;
  WaitList changed_;
  std::vector<FakeWorker*> workers_;
};

class FakeWorker final : public Worker {
 public:
  FakeWorker(FakeFactory& factory, WorkerIndex index) : factory_(factory), index_(index), changed_(factory.loop_) {
    ++factory_.alive;
  }
  ~FakeWorker() override { --factory_.alive; }

  Task<Result<Response>> call(const Event& event, const Call&) override {
    ++calls;
    if (!answer) co_return Response{.body = std::string{event.body}};
    co_return answer(event);
  }
  Task<Result<std::vector<Result<Response>>>> call_batch(std::span<const Event> events, const Call& call) override {
    std::vector<Result<Response>> responses;
    for (const Event& event : events) responses.push_back(co_await this->call(event, call));
    co_return responses;
  }
  bool usable() const override { return state == State::good; }
  Task<void> settle(Deadline) override {
    while (state == State::settling) (void)co_await changed_.wait();
  }
  void when_ended(std::function<void()> callback) override { ended_ = std::move(callback); }
  WorkerIndex index() const override { return index_; }
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
  std::function<Result<Response>(const Event&)> answer;
  void die() {
    state = State::dead;
    if (ended_) ended_();
  }
  void settled() {
    state = State::good;
    changed_.notify_all();
  }

 private:
  FakeFactory& factory_;
  WorkerIndex index_;
  WaitList changed_;
  std::function<void()> ended_;
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
