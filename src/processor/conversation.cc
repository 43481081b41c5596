// SPDX-License-Identifier: Apache-2.0
#include "processor/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/check.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

// How much work may wait behind what a worker works on. It saves the worker being woken for each event; more would only
// make events wait that another worker may have sooner.
constexpr std::chrono::nanoseconds kAhead = 500us;
constexpr int kMostJobs = 32;
// For the callback that a cancelled call may have, before a worker whose time is over is killed. Its answer, should it
// come, does not save it: whatever kept it from answering in time may keep it again.
constexpr std::chrono::milliseconds kCancelGrace = 100ms;
// How long a worker may go on with a call that nobody waits for any more.
constexpr std::chrono::milliseconds kSettling = 1s;

// As the wire has it: 0 is no deadline.
std::chrono::nanoseconds time_left(Deadline deadline) {
  return deadline.is_never() ? 0ns : std::max(deadline.left(), std::chrono::nanoseconds{1});
}

// Keeps the memory of a large answer until its client has it.
class FrameLoan final : public http::Loan {
 public:
  explicit FrameLoan(wire::Frame frame) : frame_(std::move(frame)) {}

 private:
  wire::Frame frame_;
};

}  // namespace

Conversation::Conversation(Loop& loop, std::unique_ptr<wire::Port> port, WorkerIdentity worker, const FunctionLog& log,
                           Owner& owner)
    : loop_(loop),
      port_(std::move(port)),
      worker_(std::move(worker)),
      log_(log),
      owner_(owner),
      changed_(loop),
      handling_(kAhead) {  // until it is known, nothing waits behind it
  port_->listen(*this);
}

Conversation::~Conversation() {
  CHECK(job_count_ == 0);
  for (const auto& stream : streams_) stream->end(Error{Why::unavailable, gone() + " in the midst of its answer"});
}

void Conversation::end(std::string how) {
  if (ended_) return;
  port_->stop();
  ended_ = std::move(how);
  while (auto* job = static_cast<Job*>(jobs_.back())) {
    job->unlink();
    --job_count_;
    if (port_->revoke(job->call_id)) {
      owner_.returned(*job);
    } else {
      job->answer(fail(Why::unavailable, gone() + " while it handled " + job->text()));
    }
  }
  for (const auto& stream : std::exchange(streams_, {}))
    stream->end(Error{Why::unavailable, gone() + " in the midst of its answer"});
  given_up_.clear();
  changed_.notify_all();
}

Task<Result<std::string>> Conversation::started(Deadline deadline) {
  while (!start_ && !ended_) {
    bool in_time = co_await changed_.wait(deadline);
    if (!in_time) co_return fail(Why::timeout, "it did not get ready in time");
  }
  if (!start_) co_return fail(Why::unavailable, gone() + " before it was ready");
  started_ = start_->has_value();
  co_return std::move(*start_);
}

int Conversation::room() const {
  if (!usable() || control_ || !streams_.empty()) return 0;
  if (!port_->can_revoke()) return job_count_ == 0 ? 1 : 0;
  auto ahead = static_cast<int>(kAhead / std::max(handling_, std::chrono::nanoseconds{1us}));
  return std::clamp(ahead, 1, kMostJobs) - static_cast<int>(job_count_);
}

bool Conversation::take(Job& job) {
  CHECK(!over());
  wire::CallId call{last_call_.value() + 1};
  Result<void> posted;
  if (job.kind() == Job::Kind::single) {
    Event event = job.event();
    event.call = call;
    event.time_left = time_left(job.call().deadline);
    posted = port_->post(event);
  } else {
    posted = port_->post_batch(call, time_left(job.call().deadline), job.events());
  }
  if (!posted) {
    if (posted.error().why == Why::busy || posted.error().why == Why::unavailable) return false;
    job.answer(fail(std::move(posted).error()));
    return true;
  }
  last_call_ = job.call_id = call;
  job.shipped.begin(job.call().ship_logs);
  jobs_.push_back(job);
  ++job_count_;
  return true;
}

bool Conversation::take_back(Job& job) {
  if (!port_->revoke(job.call_id)) return false;
  job.unlink();
  --job_count_;
  return true;
}

// The last first, so that each goes in front of those behind it.
void Conversation::return_waiting() {
  handling_ = std::max(handling_, kAhead);
  while (auto* job = static_cast<Job*>(jobs_.back())) {
    if (!take_back(*job)) break;
    owner_.returned(*job);
  }
}

void Conversation::give_up(Job& job, GiveUp why) {
  job.unlink();
  --job_count_;
  let_go(job.call_id, why);
}

void Conversation::let_go(wire::CallId call, GiveUp why) {
  return_waiting();
  if (ended_) return;
  if (why == GiveUp::late) hopeless_ = true;
  if (!port_->sent(call)) {
    // Half a frame is out, and the other half will not follow, as what it is made of is about to go.
    hopeless_ = true;
    port_->stop();
  } else {
    port_->cancel(call);
  }
  given_up_.push_back(call);
  owner_.to_settle(hopeless_ ? kCancelGrace : kSettling);
}

void Conversation::drop(Stream& stream, GiveUp why) {
  wire::CallId call = stream.call;
  stream.end(std::nullopt);
  std::erase_if(streams_, [&](const auto& each) { return each.get() == &stream; });
  port_->resume();
  let_go(call, why);
}

void Conversation::ask_for_more(Stream& stream) {
  if (stream.bytes <= Stream::kReadAhead) port_->resume();
}

Task<bool> Conversation::control(wire::Control kind, Deadline deadline) {
  if (!usable() || jobs() > 0) co_return false;
  last_call_ = wire::CallId{last_call_.value() + 1};
  auto posted = port_->post_control(kind, last_call_);
  if (!posted) co_return false;
  control_ = last_call_;
  while (control_ && !ended_) {
    bool in_time = co_await changed_.wait(deadline);
    if (!in_time) break;
  }
  co_return !std::exchange(control_, std::nullopt);
}

Task<void> Conversation::settled(Deadline deadline) {
  while (!given_up_.empty() && !ended_) {
    bool in_time = co_await changed_.wait(deadline);
    if (!in_time) break;
  }
}

Deadline Conversation::first_deadline() {
  Deadline first = Deadline::never();
  jobs_.for_each([&](Resumption& each) { first = earlier(first, static_cast<Job&>(each).call().deadline); });
  return first;
}

std::string Conversation::gone() const {
  return fmt::format("worker {} {}", worker_.index.value(), ended_.value_or("is gone"));
}

void Conversation::ended(std::string fault) {
  silent_ = true;
  owner_.fell_silent(std::move(fault));
}

void Conversation::received(wire::Frame frame) {
  auto taken = take(std::move(frame));
  if (taken) return;
  port_->stop();
  ended(std::move(taken).error().what);
}

Result<void> Conversation::take(wire::Frame frame) {
  TRY(auto said, wire::from_worker(frame.view()));
  if (std::holds_alternative<wire::Reply>(said) || std::holds_alternative<wire::BatchReply>(said))
    return take_reply(std::move(frame), said);
  if (const auto* chunk = std::get_if<wire::Chunk>(&said)) return take_chunk(std::move(frame), *chunk);
  if (const auto* start = std::get_if<wire::Start>(&said)) return take_start(*start);
  if (const auto* line = std::get_if<wire::Log>(&said)) take_log(*line);
  if (const auto* done = std::get_if<wire::Done>(&said); done && control_ == done->call) {
    control_.reset();
    changed_.notify_all();
  }
  // An ack or a metric is nobody's business yet: no trigger has positions to settle.
  return {};
}

Result<void> Conversation::take_start(const wire::Start& start) {
  if (start_) return fail(Why::invalid, "the worker said twice that it had started");
  std::string what{start.failed ? start.message : start.runtime};
  if (start.failed && !start.traceback.empty()) what += "\n" + std::string{start.traceback};
  while (what.ends_with('\n')) what.pop_back();
  start_ = start.failed ? Result<std::string>{fail(Why::invalid, std::move(what))} : Result<std::string>{what};
  changed_.notify_all();
  return {};
}

Result<void> Conversation::take_reply(wire::Frame frame, const wire::FromWorker& said) {
  wire::CallId call = frame->call();
  Job* job = find_job(call);
  if (!job) return take_last_word(call, frame->more());
  if (frame->nested() && job->kind() != Job::Kind::batch)
    return fail(Why::invalid, "the worker answered a single event as if it were a batch");
  // What the event borrows goes when it is answered.
  if (!port_->sent(call)) return fail(Why::invalid, "the worker answered an event that it had not read to its end");
  --job_count_;
  if (job->kind() == Job::Kind::batch) {
    Responses responses = batch_responses(said, *job);
    job->answer_batch(std::move(responses));
  } else {
    const auto& reply = std::get<wire::Reply>(said);
    Response made = response(reply, *job);
    answered_in(made.duration);
    if (frame.lent() && !frame->more()) {
      std::string_view body = reply.body;
      made.lent = http::LentBody{body, std::make_unique<FrameLoan>(std::move(frame))};
    } else {
      made.body = reply.body;
    }
    if (reply.more) {
      auto stream = std::make_shared<Stream>(loop_, call, std::string{job->event().id}, job->call().deadline);
      stream->conversation = this;
      streams_.push_back(stream);
      made.more = std::make_unique<StreamedBody>(std::move(stream));
    }
    job->answer(std::move(made));
  }
  owner_.changed();
  return {};
}

// It crossed the cancel on its way, and tells that the worker is free.
Result<void> Conversation::take_last_word(wire::CallId call, bool more) {
  auto awaited = std::ranges::find(given_up_, call);
  if (awaited == given_up_.end())
    return fail(Why::invalid, fmt::format("the worker answered call {}, which it does not have", call.value()));
  if (more) return {};
  given_up_.erase(awaited);
  changed_.notify_all();
  owner_.changed();
  return {};
}

Result<void> Conversation::take_chunk(wire::Frame frame, const wire::Chunk& chunk) {
  auto found = std::ranges::find(streams_, chunk.call, [](const auto& stream) { return stream->call; });
  if (found == streams_.end()) {
    if (std::ranges::find(given_up_, chunk.call) != given_up_.end()) return take_last_word(chunk.call, chunk.more);
    return fail(Why::invalid, fmt::format("the worker went on with the answer to call {}, which is complete or was "
                                          "never begun",
                                          chunk.call.value()));
  }
  std::shared_ptr<Stream> stream = *found;
  std::optional<Error> error;
  if (chunk.failed) {
    HandlerFailure failure{std::string{chunk.message}, std::string{chunk.traceback}};
    log_.failure(worker_, stream->event_id, nullptr, failure);
    error = Error{Why::internal, "the handler failed in the midst of its answer: " + failure.message};
  }
  bool more = chunk.more;
  if (!chunk.failed) stream->add(std::move(frame));
  if (more) {
    if (stream->bytes > Stream::kReadAhead) port_->pause();
    return {};
  }
  streams_.erase(found);
  stream->end(std::move(error));
  owner_.changed();
  return {};
}

void Conversation::take_log(const wire::Log& line) {
  Job* job = find_job(line.call);
  std::string_view event_id;
  if (job) {
    event_id = job->event().id;
  } else if (auto stream = std::ranges::find(streams_, line.call, [](const auto& each) { return each->call; });
             stream != streams_.end()) {
    event_id = (*stream)->event_id;
  }
  log_.line(worker_, event_id, job ? &job->shipped : nullptr, line.level, line.time, line.message, line.variables);
}

Job* Conversation::find_job(wire::CallId call) {
  // Answers come in order.
  auto* found = static_cast<Job*>(jobs_.front());
  if (!found || found->call_id == call) return found;
  found = nullptr;
  jobs_.for_each([&](Resumption& each) {
    auto& job = static_cast<Job&>(each);
    if (job.call_id == call) found = &job;
  });
  return found;
}

// All but its body.
Response Conversation::response(const wire::Reply& reply, Job& job) {
  Response made{.status = reply.status,
                .content_type = std::string{reply.content_type},
                .event_id = std::string{reply.event_id},
                .duration = reply.duration};
  if (made.duration == 0ns) made.duration = std::chrono::steady_clock::now() - job.given();
  made.headers.reserve(reply.frame.header_count());
  for (std::size_t i = 0; i < reply.frame.header_count(); ++i) {
    wire::Pair header = reply.frame.header(i);
    made.headers.emplace_back(header.name, header.value);
  }
  if (reply.failed) {
    if (made.status < 400) made.status = 500;
    made.failure = HandlerFailure{std::string{reply.message}, std::string{reply.traceback}};
    std::string_view event_id = reply.event_id.empty() ? job.event().id : reply.event_id;
    log_.failure(worker_, event_id, &job.shipped, *made.failure);
  }
  made.logs = job.shipped.take();
  return made;
}

Responses Conversation::batch_responses(const wire::FromWorker& said, Job& job) {
  Responses responses;
  responses.reserve(job.events().size());
  if (const auto* whole = std::get_if<wire::Reply>(&said)) {
    // The batch failed, or was answered, as a whole.
    Response one = response(*whole, job);
    one.body = whole->body;
    for (const Event& event : job.events()) {
      Response copy{.status = one.status,
                    .content_type = one.content_type,
                    .headers = one.headers,
                    .body = one.body,
                    .failure = one.failure,
                    .event_id = std::string{event.id},
                    .duration = one.duration};
      responses.emplace_back(std::move(copy));
    }
    return responses;
  }
  std::unordered_map<std::string_view, const wire::Reply*> by_id;
  for (const wire::Reply& reply : std::get<wire::BatchReply>(said).replies) by_id.emplace(reply.event_id, &reply);
  for (const Event& event : job.events()) {
    auto found = by_id.find(event.id);
    if (found != by_id.end()) {
      Response& made = *responses.emplace_back(response(*found->second, job));
      made.body = found->second->body;
    } else {
      responses.push_back(fail(Why::internal, fmt::format("the handler returned no response for event {}; each "
                                                          "response to a batch must have the event_id of its event",
                                                          event.id)));
    }
  }
  return responses;
}

void Conversation::answered_in(std::chrono::nanoseconds duration) { handling_ += (duration - handling_) / 8; }

}  // namespace nuclio::processor
