// SPDX-License-Identifier: Apache-2.0
// What stands in for the processor in the tests of triggers.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "loop/wait_list.h"
#include "processor/event_handler.h"
#include "processor/processor.h"

namespace nuclio::processor {

// A source whose pool has places for workers and no workers: nothing is ever taken from it here.
class FakeSource {
 public:
  FakeSource(Loop& loop, std::string kind, std::string name, int workers = 1)
      : pool_(loop, factory_, {.trigger_kind = kind, .trigger_name = name, .workers = workers}),
        source_{std::move(kind), std::move(name), pool_, std::chrono::milliseconds{0}} {}
  Source& get() { return source_; }

 private:
  class NoWorkers final : public WorkerFactory {
    Task<Result<std::unique_ptr<Worker>>> start(WorkerIdentity) override {
      co_return fail(Why::unavailable, "there are no workers in this test");
    }
  };
  NoWorkers factory_;
  WorkerPool pool_;
  Source source_;
};

// An event as it came, without what it borrowed.
struct SeenEvent {
  std::string id, method, path, url, content_type, trigger_kind, trigger_name, type, type_version, version, body;
  std::chrono::system_clock::time_point timestamp;
  std::vector<std::pair<std::string, std::string>> headers, fields;

  explicit SeenEvent(const Event& event)
      : id(event.id),
        method(event.method),
        path(event.path),
        url(event.url),
        content_type(event.content_type),
        trigger_kind(event.trigger_kind),
        trigger_name(event.trigger_name),
        type(event.type),
        type_version(event.type_version),
        version(event.version),
        body(event.body),
        timestamp(event.timestamp) {
    for (const auto& pair : event.headers) headers.emplace_back(pair.name, pair.value);
    for (const auto& pair : event.fields) fields.emplace_back(pair.name, pair.value);
  }
};

// Answers each event with `answer`, once `open` is set; notes what it got. A batch is answered event by event.
class FakeHandler final : public EventHandler {
 public:
  explicit FakeHandler(Loop& loop) : changed_(loop) {}

  std::function<Result<Response>(const Event&)> answer = [](const Event&) { return Result<Response>{Response{}}; };
  std::function<Result<Responses>(Responses)> change_batch = [](Responses responses) { return responses; };
  std::vector<SeenEvent> events;
  std::vector<Call> calls;  // one an event, or one a batch
  std::vector<std::size_t> batches;
  Deadline deadline = Deadline::never();
  int given_up = 0;  // calls that were cancelled before they were answered

  void close() { open_ = false; }
  void open() {
    open_ = true;
    changed_.notify_all();
  }
  // Until so many events have come.
  Task<bool> came(std::size_t count) {
    while (events.size() < count) (void)co_await changed_.wait();
    co_return true;
  }

  Task<Result<Response>> handle(Source&, const Event& event, Call call) override {
    Cancelled cancelled{given_up};
    note(event);
    calls.push_back(call);
    while (!open_) (void)co_await changed_.wait();
    cancelled.by_nobody = true;
    co_return answer(event);
  }

  Task<Result<Responses>> handle_batch(Source&, std::span<const Event> batch, Call call) override {
    Cancelled cancelled{given_up};
    batches.push_back(batch.size());
    calls.push_back(call);
    for (const Event& event : batch) note(event);
    while (!open_) (void)co_await changed_.wait();
    cancelled.by_nobody = true;
    Responses responses;
    for (const Event& event : batch) responses.push_back(answer(event));
    co_return change_batch(std::move(responses));
  }

  Deadline event_deadline() const override { return deadline; }

 private:
  struct Cancelled {
    int& count;
    bool by_nobody = false;
    ~Cancelled() { count += by_nobody ? 0 : 1; }
  };
  void note(const Event& event) {
    events.emplace_back(event);
    changed_.notify_all();
  }

  WaitList changed_;
  bool open_ = true;
};

}  // namespace nuclio::processor
