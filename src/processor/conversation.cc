// SPDX-License-Identifier: Apache-2.0
#include "processor/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/check.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

// Pieces of a streamed answer that are read ahead of whoever takes them; then the worker waits.
constexpr std::uint64_t kReadAhead = 256 << 10;
// A cancel is a courtesy; a worker that does not read it in this time is not going to act on it either.
constexpr std::chrono::milliseconds kCancelTime = 1s;
// Between a worker's refusing to read and the news of how it ended.
constexpr std::chrono::milliseconds kEndTime = 2s;
// A worker that always has something to say must not keep the loop from everybody else.
constexpr int kFramesInARow = 64;

// As the wire has it: 0 is no deadline.
std::chrono::nanoseconds time_left(Deadline deadline) {
  return deadline.is_never() ? 0ns : std::max(deadline.left(), std::chrono::nanoseconds{1});
}

std::string event_text(std::string_view event_id) {
  return event_id.empty() ? "an event" : "event " + std::string{event_id};
}

}  // namespace

// The rest of an answer whose first piece has been handed out.
class StreamedBody final : public http::BodySource {
 public:
  StreamedBody(Conversation& conversation, Conversation::Hold hold, Deadline deadline)
      : conversation_(conversation), hold_(std::move(hold)), deadline_(deadline) {}
  Task<Result<std::optional<std::string>>> next() override;

 private:
  Conversation& conversation_;
  Conversation::Hold hold_;
  Deadline deadline_;
  bool complete_ = false;
};

Task<Result<std::optional<std::string>>> StreamedBody::next() {
  Conversation& from = conversation_;
  while (from.chunks_.empty()) {
    if (complete_) co_return std::nullopt;
    if (from.ended_) co_return fail(Why::unavailable, from.gone() + " in the midst of its answer");
    bool in_time = co_await from.changed_.wait(deadline_);
    if (!in_time && from.chunks_.empty()) {
      from.hopeless_ = true;
      co_return fail(Why::timeout, event_text(from.event_id_) + " took longer than its eventTimeout to answer");
    }
  }
  wire::Frame frame = std::move(from.chunks_.front());
  from.chunks_.pop_front();
  from.chunk_bytes_ -= frame->size().count;
  from.changed_.notify_all();  // there is room again
  complete_ = !frame->more();
  if (frame->failed()) {
    HandlerFailure failure{std::string{frame->string(NUCLIO_WIRE_CHUNK_MESSAGE)},
                           std::string{frame->string(NUCLIO_WIRE_CHUNK_TRACEBACK)}};
    from.log_.failure(from.worker_, from.event_id_, nullptr, failure);
    co_return fail(Why::internal, "the handler failed in the midst of its answer: " + failure.message);
  }
  co_return std::string{frame->body()};
}

Conversation::Conversation(Loop& loop, Descriptor socket, WorkerIdentity worker, const FunctionLog& log)
    : loop_(loop),
      channel_(loop, std::move(socket)),
      worker_(std::move(worker)),
      log_(log),
      changed_(loop),
      background_(loop) {}

Conversation::~Conversation() { background_.cancel(); }

Task<std::string> Conversation::listen() {
  for (int frames = 1;; ++frames) {
    auto frame = co_await channel_.receive(Deadline::never());
    if (!frame) co_return frame.error().why == Why::unavailable ? "" : frame.error().what;
    auto taken = take(std::move(*frame));
    if (!taken) co_return taken.error().what;
    while (chunk_bytes_ > kReadAhead) (void)co_await changed_.wait();
    if (frames % kFramesInARow == 0) co_await loop_.yield();
  }
}

void Conversation::end(std::string how) {
  ended_ = std::move(how);
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

Task<Result<Response>> Conversation::call(const Event& event, const Call& call) {
  Event sent = event;
  sent.call = wire::CallId{last_call_.value() + 1};
  sent.time_left = time_left(call.deadline);
  CO_TRY_DO(wire::encode(sent, outgoing_));
  Hold hold = begin(Kind::single, event.id, call);
  CO_TRY(wire::Frame frame, co_await answer(call.deadline));
  CO_TRY(auto said, wire::from_worker(frame.view()));
  const auto& reply = std::get<wire::Reply>(said);
  Response made = response(reply);
  if (reply.more) made.more = std::make_unique<StreamedBody>(*this, std::move(hold), call.deadline);
  co_return made;
}

Task<Result<std::vector<Result<Response>>>> Conversation::call_batch(std::span<const Event> events, const Call& call) {
  CHECK(!events.empty());
  wire::CallId id{last_call_.value() + 1};
  CO_TRY_DO(wire::encode_batch(id, time_left(call.deadline), events, outgoing_));
  Hold hold = begin(Kind::batch, events.front().id, call);
  CO_TRY(wire::Frame frame, co_await answer(call.deadline));
  CO_TRY(auto said, wire::from_worker(frame.view()));

  std::vector<Result<Response>> responses;
  responses.reserve(events.size());
  if (const auto* failed = std::get_if<wire::Reply>(&said)) {
    // The batch failed, or was answered, as a whole.
    Response one = response(*failed);
    for (const Event& event : events) {
      Response copy{.status = one.status,
                    .content_type = one.content_type,
                    .headers = one.headers,
                    .body = one.body,
                    .failure = one.failure,
                    .event_id = std::string{event.id},
                    .duration = one.duration};
      responses.emplace_back(std::move(copy));
    }
    co_return responses;
  }
  std::unordered_map<std::string_view, const wire::Reply*> by_id;
  for (const wire::Reply& reply : std::get<wire::BatchReply>(said).replies) by_id.emplace(reply.event_id, &reply);
  for (const Event& event : events) {
    auto found = by_id.find(event.id);
    if (found != by_id.end()) {
      responses.emplace_back(response(*found->second));
    } else {
      responses.push_back(
          fail(Why::internal, fmt::format("the handler returned no response for {}; each response to a batch must "
                                          "have the event_id of its event",
                                          event_text(event.id))));
    }
  }
  co_return responses;
}

Task<bool> Conversation::control(wire::Control kind, Deadline deadline) {
  if (!usable()) co_return false;
  last_call_ = wire::CallId{last_call_.value() + 1};
  control_ = last_call_;
  wire::encode_control(kind, last_call_, outgoing_);
  auto sent = co_await channel_.send(outgoing_, deadline);
  if (!sent) hopeless_ = true;
  while (sent && control_ && !ended_) {
    bool in_time = co_await changed_.wait(deadline);
    if (!in_time) break;
  }
  co_return !std::exchange(control_, std::nullopt);
}

Task<void> Conversation::quiet(Deadline deadline) {
  while ((state_ != State::idle || cancelling_) && !ended_) {
    bool in_time = co_await changed_.wait(deadline);
    if (!in_time) break;
  }
}

Conversation::Hold Conversation::begin(Kind kind, std::string_view event_id, const Call& call) {
  CHECK(state_ == State::idle && !cancelling_);
  state_ = State::waiting;
  kind_ = kind;
  last_call_ = wire::CallId{last_call_.value() + 1};
  event_id_.assign(event_id);
  begun_ = std::chrono::steady_clock::now();
  shipped_.begin(call.ship_logs);
  return Hold{*this};
}

void Conversation::let_go() {
  reply_.reset();
  chunks_.clear();
  chunk_bytes_ = 0;
  if (state_ == State::answered) {
    state_ = State::idle;
  } else if (!ended_) {
    state_ = State::given_up;
    if (sending_)
      hopeless_ = true;  // half a frame is out, and the other half will not follow
    else
      background_.spawn(cancel());
  }
  sending_ = false;
  changed_.notify_all();
}

Task<void> Conversation::cancel() {
  cancelling_ = true;
  wire::encode_cancel(last_call_, cancel_);
  auto sent = co_await channel_.send(cancel_, Deadline::in(kCancelTime));
  cancelling_ = false;
  if (!sent) hopeless_ = true;
  changed_.notify_all();
}

// Sends what outgoing_ holds and waits for the reply to it.
Task<Result<wire::Frame>> Conversation::answer(Deadline deadline) {
  sending_ = true;
  auto sent = co_await channel_.send(outgoing_, deadline);
  sending_ = false;
  if (!sent) {
    hopeless_ = true;
    // A worker that takes no event is gone or going, unless it was just slow: how it ended is about to be known.
    if (sent.error().why != Why::timeout) deadline = earlier(deadline, Deadline::in(kEndTime));
  }
  bool in_time = sent || sent.error().why != Why::timeout;
  while (in_time && !reply_ && !ended_) in_time = co_await changed_.wait(deadline);
  if (reply_) co_return std::move(*reply_);
  if (ended_) co_return fail(Why::unavailable, gone() + " while it handled " + event_text(event_id_));
  hopeless_ = true;
  if (!sent && sent.error().why != Why::timeout)
    co_return fail(Why::unavailable, fmt::format("worker {} does not take events", worker_.index.value()));
  co_return fail(Why::timeout, event_text(event_id_) + " took longer than its eventTimeout");
}

Response Conversation::response(const wire::Reply& reply) {
  Response made{.status = reply.status,
                .content_type = std::string{reply.content_type},
                .body = std::string{reply.body},
                .event_id = std::string{reply.event_id},
                .duration = reply.duration};
  if (made.duration == 0ns) made.duration = std::chrono::steady_clock::now() - begun_;
  made.headers.reserve(reply.frame.header_count());
  for (std::size_t i = 0; i < reply.frame.header_count(); ++i) {
    wire::Pair header = reply.frame.header(i);
    made.headers.emplace_back(header.name, header.value);
  }
  if (reply.failed) {
    if (made.status < 400) made.status = 500;
    made.failure = HandlerFailure{std::string{reply.message}, std::string{reply.traceback}};
    log_.failure(worker_, reply.event_id.empty() ? event_id_ : made.event_id, &shipped_, *made.failure);
  }
  made.logs = shipped_.take();
  return made;
}

std::string Conversation::gone() const {
  return fmt::format("worker {} {}", worker_.index.value(), ended_.value_or("is gone"));
}

Result<void> Conversation::take(wire::Frame frame) {
  TRY(auto said, wire::from_worker(frame.view()));
  if (std::holds_alternative<wire::Reply>(said) || std::holds_alternative<wire::BatchReply>(said))
    return take_reply(std::move(frame));
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

Result<void> Conversation::take_reply(wire::Frame frame) {
  wire::CallId call = frame->call();
  if (state_ == State::waiting && call == last_call_) {
    if (frame->nested() && kind_ != Kind::batch)
      return fail(Why::invalid, "the worker answered a single event as if it were a batch");
    state_ = frame->more() ? State::streaming : State::answered;
    reply_ = std::move(frame);
  } else if (state_ == State::given_up && call == last_call_) {
    // It crossed the cancel on its way, and tells that the worker is free.
    if (!frame->more()) state_ = State::idle;
  } else {
    return fail(Why::invalid, fmt::format("the worker answered call {}, which it does not have", call.value()));
  }
  changed_.notify_all();
  return {};
}

Result<void> Conversation::take_chunk(wire::Frame frame, const wire::Chunk& chunk) {
  if (chunk.call != last_call_ || (state_ != State::streaming && state_ != State::given_up))
    return fail(Why::invalid, fmt::format("the worker went on with the answer to call {}, which is complete or was "
                                          "never begun",
                                          chunk.call.value()));
  if (state_ == State::given_up) {
    if (!chunk.more) state_ = State::idle;
  } else {
    if (!chunk.more) state_ = State::answered;
    chunk_bytes_ += frame->size().count;
    chunks_.push_back(std::move(frame));
  }
  changed_.notify_all();
  return {};
}

void Conversation::take_log(const wire::Log& line) {
  bool of_this_call = state_ != State::idle && line.call == last_call_;
  log_.line(worker_, of_this_call ? std::string_view{event_id_} : "", of_this_call ? &shipped_ : nullptr, line.level,
            line.time, line.message, line.variables);
}

}  // namespace nuclio::processor
