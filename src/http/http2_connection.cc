// SPDX-License-Identifier: Apache-2.0
#include "http/http2_connection.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/log.h"
#include "http/http2_session.h"

namespace nuclio::http {
namespace {

constexpr std::size_t kBatch = 64 << 10;      // sent with one call
constexpr std::size_t kMostInARow = 1 << 20;  // sent before others get their turn
constexpr int kReadsInARow = 16;              // likewise
constexpr std::size_t kKept = 64 << 10;       // of memory, while nothing is to be sent
constexpr std::int64_t kEarnedByAnswer = 10;  // frames that a peer has good reason to send for one request

}  // namespace

Http2Connection::Check::Check(Http2Connection& owner) : Timer(owner.shared_.loop), owner_(owner) {}

Http2Connection::Http2Connection(Shared& shared, Transport& transport, std::string_view remote_address)
    : shared_(shared),
      transport_(transport),
      remote_address_(remote_address),
      session_(begin_http2_session(*this, shared.limits)),
      idle_frames_(shared.limits.http2_frames, shared.loop.now()),
      resets_(shared.limits.http2_resets, shared.loop.now()),
      idle_since_(shared.loop.now()),
      timer_(*this),
      something_to_send_(shared.loop),
      end_(shared.loop),
      work_(shared.loop) {
  shared.http2_connections.push_back(*this);
}

Http2Connection::~Http2Connection() = default;

void Http2Connection::FreeSession::operator()(nghttp2_session* session) const { nghttp2_session_del(session); }

Task<void> Http2Connection::run(std::string received) {
  Group transfers{shared_.loop};
  if (shared_.draining) drain();
  feed(received);
  check();
  transfers.spawn(write());
  transfers.spawn(read());
  if (!ended_) (void)co_await end_.wait();

  // From here on the session is silent; what handlers have begun they finish.
  transfers.cancel();
  timer_.disarm();
  for (auto at = streams_.begin(); at != streams_.end();) {
    Http2Stream& stream = *at->second;
    stream.closed = true;
    stream.pump.reset();
    at = stream.working ? std::next(at) : streams_.erase(at);
  }
  if (ended_ == End::orderly) co_await linger();
  (void)co_await work_.empty();
}

Task<void> Http2Connection::read() {
  for (int in_a_row = 1; !ended_; ++in_a_row) {
    if (in_a_row % kReadsInARow == 0) co_await shared_.loop.yield();
    (void)co_await transport_.watch().readable(Deadline::never());
    if (receive() == Moved::gone) co_return end(End::gone);
    if (blocked_) continue;
    switch (flush()) {
      case Flushed::all: break;
      case Flushed::gone: co_return end(End::gone);
      case Flushed::blocked:
      case Flushed::more: blocked_ = true; something_to_send_.notify_one();
    }
    if (is_over()) co_return end(End::orderly);
  }
}

Task<void> Http2Connection::write() {
  for (;;) {
    blocked_ = true;
    Pace pace = shared_.pace_of_answer();
    for (Flushed flushed = flush(); flushed != Flushed::all; flushed = flush()) {
      if (flushed == Flushed::gone) co_return end(End::gone);
      if (flushed == Flushed::more) {
        co_await shared_.loop.yield();
        continue;
      }
      bool ready = co_await transport_.can_send(pace);
      if (!ready) co_return end(End::gone);
    }
    blocked_ = false;
    if (is_over()) co_return end(End::orderly);
    (void)co_await something_to_send_.wait();
  }
}

bool Http2Connection::is_over() const {
  return out_.empty() && nghttp2_session_want_read(session_.get()) == 0 &&
         nghttp2_session_want_write(session_.get()) == 0;
}

Moved Http2Connection::receive() {
  std::array<char, 16384> bytes;
  std::size_t count = 0;
  Moved moved = transport_.receive(bytes, count);
  if (moved == Moved::some) feed({bytes.data(), count});
  return moved;
}

void Http2Connection::feed(std::string_view bytes) {
  feeding_ = true;
  frames_.receive(bytes, [this](const Http2FrameHead& frame) { saw_frame(frame); });
  if (!frames_.in_headers()) {
    head_began_.reset();
  } else if (!head_began_) {
    head_began_ = shared_.loop.now();
    check_by(*head_began_ + shared_.limits.header_timeout);
  }
  auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  ssize_t taken = terminated_ ? 0 : nghttp2_session_mem_recv(session_.get(), data, bytes.size());
  if (taken < 0) {
    bool flood = taken == NGHTTP2_ERR_FLOODED || taken == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
    terminate(flood ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR, nghttp2_strerror(static_cast<int>(taken)));
  }
  while (Http2Stream* stream = complete_.pop_front()) {
    if (terminated_) break;
    work_.spawn(serve(*stream));
  }
  feeding_ = false;
}

Http2Connection::Flushed Http2Connection::flush() {
  for (std::size_t total = 0; total < kMostInARow;) {
    while (out_.size() < kBatch && sent_ == 0) {
      const std::uint8_t* data = nullptr;
      ssize_t count = nghttp2_session_mem_send(session_.get(), &data);
      if (count < 0) return Flushed::gone;
      if (count == 0) break;
      out_.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(count));
    }
    if (out_.empty()) {
      if (out_.capacity() > kKept) out_ = {};
      return Flushed::all;
    }
    iovec part{out_.data() + sent_, out_.size() - sent_};
    std::size_t count = 0;
    Moved moved = transport_.send({&part, 1}, count);
    if (moved != Moved::some) return moved == Moved::again ? Flushed::blocked : Flushed::gone;
    sent_ += count;
    total += count;
    if (sent_ < out_.size()) continue;
    out_.clear();
    sent_ = 0;
  }
  return Flushed::more;
}

void Http2Connection::flush_soon() {
  if (!feeding_) something_to_send_.notify_one();
}

void Http2Connection::end(End how) {
  if (!ended_) ended_ = how;
  end_.notify_one();
}

void Http2Connection::terminate(std::uint32_t error, std::string_view reason) {
  if (terminated_) return;
  terminated_ = true;
  log::debug("A connection of HTTP/2 is ended", {{"peer", remote_address_}, {"reason", reason}});
  nghttp2_session_terminate_session(session_.get(), error);
  flush_soon();
}

// A socket that is closed with unread data resets the connection, and the peer may lose what it was told last.
Task<void> Http2Connection::linger() {
  std::array<char, 16384> unread;
  std::size_t count = 0;
  Deadline end = Deadline::in(shared_.limits.linger);
  transport_.end_sending();
  while (transport_.receive(unread, count) == Moved::some && !end.passed()) {
    co_await shared_.loop.yield();
    (void)co_await transport_.watch().readable(end);
  }
}

void Http2Connection::drain() {
  nghttp2_submit_shutdown_notice(session_.get());
  flush_soon();
}

void Http2Connection::finish() {
  if (finishing_) return;
  finishing_ = true;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_.get()),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  flush_soon();
}

void Http2Connection::finish_when_idle_since(SteadyTime when) {
  if (streams_.empty() && idle_since_ <= when) finish();
}

void Http2Connection::saw_frame(const Http2FrameHead& frame) {
  bool carries = frame.type == Http2Frames::kHeaders || (frame.type == Http2Frames::kData && frame.length > 0);
  if (!carries) spend(idle_frames_, "too many frames carry nothing");
}

// Streams whose handlers are still at work count although the peer has given them up: otherwise a peer could have any
// number of handlers work for nothing.
void Http2Connection::begin_request(std::int32_t id) {
  if (streams_.size() >= shared_.limits.http2_streams) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    return;
  }
  auto& stream = streams_[id];
  stream = std::make_unique<Http2Stream>(shared_.loop, id, shared_.pace_of_body(), shared_.pace_of_answer());
  stream->request.received = shared_.loop.now();
  stream->request.remote_address = remote_address_;
  nghttp2_session_set_stream_user_data(session_.get(), id, stream.get());
}

void Http2Connection::head_is_complete(Http2Stream& stream, bool ends) {
  stream.head_complete = true;
  if (auto refusal = stream.head.finish(shared_.limits)) {
    stream.complete = ends;
    return refuse(stream, *refusal);
  }
  if (ends) return request_is_complete(stream);
  if (stream.head.expects_continue()) submit_http2_continue(session_.get(), stream.id);
  check_by(stream.arriving.deadline().when());
}

void Http2Connection::request_is_complete(Http2Stream& stream) {
  if (std::exchange(stream.complete, true) || stream.answering) return;
  stream.waits_for_room = false;
  complete_.push_back(stream);
}

void Http2Connection::take_body(Http2Stream& stream, std::string_view bytes) {
  if (stream.answering) return;
  if (bytes.size() > shared_.limits.body_bytes.count - stream.body.size())
    return refuse(stream, {413, "the body is too large"});
  stream.body += bytes;
  stream.arriving.moved(bytes.size(), shared_.loop.now());
  stream.withheld += bytes.size();
  if (stream.reserved == 0 && stream.body.size() > shared_.limits.http2_short_body.count) return admit(stream);
  if (stream.reserved == 0) return;
  nghttp2_session_consume_stream(session_.get(), stream.id, std::exchange(stream.withheld, 0));
}

// A body that is more than small gets its window, and memory for all of it, when there is room; until then its peer
// cannot send more. One always gets it, so that there is no standstill.
void Http2Connection::admit(Http2Stream& stream) {
  std::uint64_t need = stream.head.content_length().value_or(shared_.limits.body_bytes.count);
  if (reserved_ > 0 && reserved_ + need > shared_.limits.http2_bodies.count) {
    if (!std::exchange(stream.waits_for_room, true)) waiting_for_room_.push_back(stream);
    return;
  }
  stream.unlink();
  stream.waits_for_room = false;
  stream.reserved = need;
  reserved_ += need;
  stream.body.reserve(need);
  stream.arriving = shared_.pace_of_body();
  check_by(stream.arriving.deadline().when());
  nghttp2_session_consume_stream(session_.get(), stream.id, std::exchange(stream.withheld, 0));
  open_http2_window(session_.get(), stream.id, shared_.limits);
  flush_soon();
}

void Http2Connection::drop_body(Http2Stream& stream) {
  stream.body = {};
  reserved_ -= std::exchange(stream.reserved, 0);
  if (ended_) return;
  while (Http2Stream* next = waiting_for_room_.front()) {
    admit(*next);
    if (next->waits_for_room) return;
  }
}

Task<void> Http2Connection::serve(Http2Stream& stream) {
  stream.working = true;
  stream.head.fill(stream.request);
  stream.request.body = stream.body;
  Response response = co_await shared_.handler.handle(stream.request);
  stream.working = false;
  if (stream.closed) co_return forget(stream);
  drop_body(stream);
  answer(stream, std::move(response));
}

void Http2Connection::refuse(Http2Stream& stream, Refusal refusal) {
  if (stream.answering) return;
  stream.unlink();
  stream.waits_for_room = false;
  drop_body(stream);
  answer(stream, refused(refusal, shared_.limits, remote_address_));
}

void Http2Connection::answer(Http2Stream& stream, Response response) {
  stream.answering = true;
  stream.response = std::move(response);
  stream.leaving = shared_.pace_of_answer();
  Answering to{.head = stream.head.method() == "HEAD"};
  if (!submit_http2_response(session_.get(), stream, to, shared_.date.now()))
    return reset(stream, NGHTTP2_INTERNAL_ERROR);
  check_by(stream.leaving.deadline().when());
  if (auto* source = std::get_if<std::unique_ptr<BodySource>>(&stream.response.body); source && !to.head) {
    stream.waits_for_source = true;
    stream.pump = std::make_unique<Group>(shared_.loop);
    stream.pump->spawn(pump(stream, **source));
  }
  flush_soon();
}

Task<void> Http2Connection::pump(Http2Stream& stream, BodySource& source) {
  for (;;) {
    auto piece = co_await source.next();
    if (!piece) {
      log::warn("A streamed answer was cut: its source failed", {{"reason", piece.error().what}});
      co_return reset(stream, NGHTTP2_INTERNAL_ERROR);
    }
    stream.source_ended = !*piece;
    if (*piece) stream.piece = std::move(**piece);
    if (stream.piece.empty() && !stream.source_ended) continue;
    stream.sent = 0;
    stream.waits_for_source = false;
    stream.leaving = shared_.pace_of_answer();
    check_by(stream.leaving.deadline().when());
    nghttp2_session_resume_data(session_.get(), stream.id);
    flush_soon();
    if (stream.source_ended) co_return;
    (void)co_await stream.taken.wait();
  }
}

Http2Connection::Given Http2Connection::give_body(Http2Stream& stream, std::span<char> into) {
  Given given = give_part(stream, into);
  if (given.bytes > 0) stream.leaving.moved(given.bytes, shared_.loop.now());
  return given;
}

Http2Connection::Given Http2Connection::give_part(Http2Stream& stream, std::span<char> into) {
  auto copy = [&](const std::string& text) {
    std::size_t count = std::min<std::size_t>(into.size(), text.size() - stream.sent);
    std::memcpy(into.data(), text.data() + stream.sent, count);
    stream.sent += count;
    return count;
  };
  if (auto* text = std::get_if<std::string>(&stream.response.body)) {
    std::size_t count = copy(*text);
    return {stream.sent == text->size() ? Given::Kind::last : Given::Kind::some, count};
  }
  if (auto* file = std::get_if<FileBody>(&stream.response.body)) {
    std::uint64_t left = file->size().count - stream.sent;
    std::size_t wanted = std::min<std::uint64_t>(into.size(), left);
    ssize_t got = ::pread(file->descriptor(), into.data(), wanted, static_cast<off_t>(stream.sent));
    if (got <= 0) {
      log::warn("An answer was cut: its file cannot be read to its end",
                {{"announced_bytes", file->size().count}, {"sent_bytes", stream.sent}});
      return {Given::Kind::failed, 0};
    }
    stream.sent += static_cast<std::uint64_t>(got);
    return {stream.sent == file->size().count ? Given::Kind::last : Given::Kind::some, static_cast<std::size_t>(got)};
  }
  if (stream.sent < stream.piece.size()) return {Given::Kind::some, copy(stream.piece)};
  if (stream.source_ended) return {Given::Kind::last, 0};
  stream.waits_for_source = true;
  stream.piece.clear();
  stream.taken.notify_one();
  return {Given::Kind::later, 0};
}

void Http2Connection::reset(Http2Stream& stream, std::uint32_t error) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id, error);
  flush_soon();
}

// The peer need not send the rest of a request that has been answered.
void Http2Connection::was_answered(Http2Stream& stream) {
  stream.answered = true;
  idle_frames_.earn(kEarnedByAnswer);
  resets_.earn(1);
  if (!stream.complete) reset(stream, NGHTTP2_NO_ERROR);
}

void Http2Connection::was_closed(Http2Stream& stream, std::uint32_t error) {
  if (error != NGHTTP2_NO_ERROR && !stream.answered) spend(resets_, "too many requests were given up");
  stream.closed = true;
  stream.pump.reset();
  stream.unlink();
  stream.waits_for_room = false;
  if (!stream.working) forget(stream);
}

void Http2Connection::forget(Http2Stream& stream) {
  drop_body(stream);
  streams_.erase(stream.id);
  if (!streams_.empty()) return;
  idle_since_ = shared_.loop.now();
  if (!ended_) check_by(idle_since_ + shared_.limits.idle_timeout);
}

void Http2Connection::spend(Allowance& allowance, std::string_view on) {
  if (!allowance.spend(shared_.loop.now())) terminate(NGHTTP2_ENHANCE_YOUR_CALM, on);
}

void Http2Connection::check_by(SteadyTime when) {
  if (timer_.armed() && timer_at_ <= when) return;
  timer_at_ = when;
  timer_.arm(Deadline::at(when));
}

void Http2Connection::check() {
  SteadyTime now = shared_.loop.now();
  SteadyTime next = SteadyTime::max();
  auto passed = [&](SteadyTime when) {
    if (when > now) next = std::min(next, when);
    return when <= now;
  };
  const Limits& limits = shared_.limits;
  if (!greeted_ && passed(idle_since_ + limits.header_timeout))
    return terminate(NGHTTP2_SETTINGS_TIMEOUT, "the settings did not arrive in time");
  if (head_began_ && passed(*head_began_ + limits.header_timeout))
    return terminate(NGHTTP2_ENHANCE_YOUR_CALM, "the headers did not arrive in time");
  if (streams_.empty() && passed(idle_since_ + limits.idle_timeout))
    return terminate(NGHTTP2_NO_ERROR, "there was no request for long");
  for (auto& [id, stream] : streams_) {
    bool arrives = stream->head_complete && !stream->complete && !stream->answering && !stream->waits_for_room;
    if (arrives && passed(stream->arriving.deadline().when()))
      refuse(*stream, {408, "the body did not arrive in time"});
    bool leaves = stream->answering && !stream->answered && !stream->waits_for_source;
    if (leaves && passed(stream->leaving.deadline().when())) reset(*stream, NGHTTP2_CANCEL);
  }
  check_by(next);
}

}  // namespace nuclio::http
