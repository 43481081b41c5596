// SPDX-License-Identifier: Apache-2.0
#include "processor/batcher.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "loop/wait_list.h"

namespace nuclio::processor {

// One event's place in its batch; lives in the coroutine that waits for the answer.
struct Batcher::Member {
  Member(Loop& loop, const Event& event, const Call& call, Batch& batch);
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  ~Member();

  void answer(Result<Response> response) {
    batch = nullptr;
    result.emplace(std::move(response));
    answered.notify_all();
  }

  const Event& event;
  const Call& call;
  Batch* batch;  // null once it is answered
  std::optional<Result<Response>> result;
  WaitList answered;
};

struct Batcher::Batch {
  explicit Batch(Loop& loop) : running(loop) {}

  void answer_all(const Error& error) {
    for (Member* member : std::exchange(members, {})) member->answer(fail(error));
  }

  std::vector<Member*> members;
  std::uint64_t body_bytes = 0;
  Group running;  // the call, once it was sent
};

Batcher::Member::Member(Loop& loop, const Event& event, const Call& call, Batch& batch)
    : event(event), call(call), batch(&batch), answered(loop) {
  batch.members.push_back(this);
  batch.body_bytes += event.body.size();
}

Batcher::Member::~Member() {
  if (!batch) return;
  std::erase(batch->members, this);
  batch->body_bytes -= event.body.size();
  if (batch->running.size() == 0) return;
  batch->running.cancel();
  batch->answer_all({Why::unavailable, "the batch of this event was given up"});
}

Batcher::Batcher(Loop& loop, EventHandler& handler, Source& source, const spec::Batch& config)
    : loop_(loop),
      handler_(handler),
      source_(source),
      config_(config),
      filling_(std::make_unique<Batch>(loop)),
      window_(loop, *this) {}

Batcher::~Batcher() { CHECK(filling_->members.empty()); }

Task<Result<Response>> Batcher::handle(const Event& event, const Call& call) {
  if (!fits(event)) send();
  Member member{loop_, event, call, *filling_};
  if (filling_->members.size() >= static_cast<std::size_t>(config_.batch_size) || config_.timeout.count() <= 0) {
    send();
  } else if (!window_.armed()) {
    window_.arm(Deadline::in(config_.timeout));
  }
  while (!member.result) (void)co_await member.answered.wait();
  co_return std::move(*member.result);
}

// Answers are matched by id, so a batch holds each id once: clients may choose theirs.
bool Batcher::fits(const Event& event) const {
  if (filling_->body_bytes + event.body.size() > kBytes.count) return false;
  return std::ranges::none_of(filling_->members, [&](const Member* other) { return other->event.id == event.id; });
}

void Batcher::hurry() {
  config_.timeout = std::chrono::nanoseconds{0};
  send();
}

void Batcher::send() {
  window_.disarm();
  running_.remove_if([](const auto& batch) { return batch->running.size() == 0; });
  if (filling_->members.empty()) return;
  Batch& batch = *running_.emplace_back(std::exchange(filling_, std::make_unique<Batch>(loop_)));
  batch.running.spawn(run(batch));
}

// The batch is handled as the most demanding of its events wants it: by the earliest deadline, with the lowest level of
// log lines. No event of it can be given up without giving up this Task.
Task<void> Batcher::run(Batch& batch) {
  std::vector<Event> events;
  events.reserve(batch.members.size());
  Call call;
  for (const Member* member : batch.members) {
    events.push_back(member->event);
    call.deadline = earlier(call.deadline, member->call.deadline);
    if (member->call.ship_logs)
      call.ship_logs = std::min(call.ship_logs.value_or(*member->call.ship_logs), *member->call.ship_logs);
  }
  auto responses = co_await handler_.handle_batch(source_, events, call);
  if (!responses) co_return batch.answer_all(responses.error());
  auto members = std::exchange(batch.members, {});
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i < responses->size()) {
      members[i]->answer(std::move((*responses)[i]));
    } else {
      members[i]->answer(fail(Why::internal, "the handler gave no answer to this event of a batch"));
    }
  }
}

}  // namespace nuclio::processor
