// SPDX-License-Identifier: Apache-2.0
#include "http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/log.h"
#include "http/status.h"

namespace nuclio::http {
namespace {

constexpr Refusal kGone{0, ""};
constexpr Refusal kBodyLate{408, "the body did not arrive in time"};
// A body up to this size is received behind its head and handed on in place; a larger one gets memory of its own.
constexpr std::size_t kShortBody = 16 << 10;
constexpr std::size_t kLongBody = 64 << 10;  // of chunks
constexpr int kRequestsInARow = 64;          // then others get their turn

// The body, when it is one that is copied behind its head.
std::optional<std::string_view> short_text(const Body& body) {
  std::optional<std::string_view> text;
  if (auto* own = std::get_if<std::string>(&body)) text = *own;
  if (auto* lent = std::get_if<LentBody>(&body)) text = lent->bytes;
  if (text && text->size() > kShortAnswer) text.reset();
  return text;
}

}  // namespace

Response refused(const Refusal& refusal, const Limits& limits, std::string_view peer) {
  std::string reason{refusal.reason};
  if (refusal.status == 413) reason += "; at most " + std::to_string(limits.body_bytes.count) + " bytes";
  if (refusal.status == 431) reason += "; at most " + std::to_string(limits.header_bytes.count) + " bytes";
  log::debug("A request was refused", {{"peer", peer}, {"status", refusal.status}, {"reason", reason}});
  return Response::json(refusal.status, "{\"error\": " + log::json_string(reason) + "}");
}

Connection::Connection(Shared& shared, Descriptor socket, std::string remote_address)
    : shared_(shared),
      transport_(shared.loop, std::move(socket)),
      watch_(transport_.watch()),
      remote_address_(std::move(remote_address)),
      in_(shared.spares),
      parser_(shared.limits),
      pooled_(nullptr, ReleaseToPool{shared.body_pool}) {
  request_.remote_address = remote_address_;
  shared_.connections.push_back(*this);
}

Task<void> Connection::run() {
  for (int in_a_row = 1;; ++in_a_row) {
    if (in_a_row % kRequestsInARow == 0) co_await shared_.loop.yield();

    // Stage 1: the head. Answers that were held back go out before we wait.
    parser_.reset();
    request_.received = shared_.loop.now();
    idle_ = true;
    for (;;) {
      if (idle_ && !in_.unread().empty()) {
        idle_ = false;
        request_.received = shared_.loop.now();
      }
      auto progress = parser_.parse(in_.unread());
      if (!progress) {
        wants_http2_ = in_a_row == 1 && begins_http2();
        if (wants_http2_) co_return;
        co_return co_await refuse(progress.error());
      }
      if (*progress == Progress::done) break;
      if (std::string_view none; try_send(none) != Moved::some) {
        bool sent = co_await send({});
        if (!sent) co_return;
      }
      if (idle_ && shared_.closing_idle) co_return;
      if (!receive_first_) {
        if (idle_) put_away();
        bool ready = co_await watch_.readable(waiting_for_head());
        if (!ready) {
          if (!idle_) co_await refuse({408, "the headers did not arrive in time"});
          co_return;
        }
      }
      receive_first_ = false;
      if (receive_more() == Moved::gone) co_return;
    }
    keep_alive_ = parser_.keep_alive() ? KeepAlive::yes : KeepAlive::no;

    // Stage 2: the body.
    request_size_ = parser_.size();
    if (body_is_here()) {
      request_size_ += parser_.content_length();
      request_.body = in_.unread().substr(parser_.size(), parser_.content_length());
    } else {
      auto read = co_await read_body();
      if (!read) {
        drop_body();
        co_return co_await refuse(read.error());
      }
    }
    parser_.fill(in_.unread(), request_);  // from here on in_ stays where it is in memory

    // Stage 3: the handler. When it has to wait, the answers before its own do not.
    std::optional<Begun<Response>> call{std::in_place, shared_.handler.handle(request_)};
    if (!call->done()) {
      bool reachable = out_.empty() || co_await send({});
      co_await call->finished();
      if (!reachable) co_return;
    }
    Response response = call->take();
    call.reset();
    drop_body();

    // Stage 4: the answer. What its body holds on to is let go before we wait for the peer again.
    if (shared_.draining) keep_alive_ = KeepAlive::no;
    Answering to{request_.method == "HEAD", request_.minor_version, keep_alive_};
    shared_.spares.lend_text(out_);
    Plan plan = append_head(out_, response, to, shared_.date.now());
    bool sent = true;
    if (auto text = short_text(response.body)) {
      if (plan.sending == Sending::counted) out_ += *text;
    } else if (plan.sending != Sending::nothing) {
      sent = co_await send_body(response.body, plan.sending);
    }
    response.body = {};
    if (sent && out_.size() > shared_.limits.coalesced_bytes.count) sent = co_await send({});
    if (!sent) co_return;
    if (plan.keep_alive == KeepAlive::no) co_return co_await say_goodbye();
    in_.consume(request_size_);
  }
}

void Connection::close_when_idle_since(SteadyTime when) {
  if (idle_ && request_.received <= when) ::shutdown(transport_.socket(), SHUT_RD);
}

Moved Connection::receive_more() {
  std::size_t count = 0;
  Moved moved = transport_.receive(in_.space(), count);
  in_.received(count);
  return moved;
}

// What an idle connection can do without, it does without: there may be very many.
void Connection::put_away() {
  in_.release();
  shared_.spares.take_back_text(out_);
}

Deadline Connection::waiting_for_head() const {
  return Deadline::at(request_.received + (idle_ ? shared_.limits.idle_timeout : shared_.limits.header_timeout));
}

bool Connection::body_is_here() const {
  if (parser_.framing() == Framing::chunked) return false;
  return in_.unread().size() - parser_.size() >= parser_.content_length();
}

Task<Connection::Step> Connection::read_body() {
  bool wanted = parser_.expects_continue() && in_.unread().size() == parser_.size();
  if (wanted) out_ += kContinue;
  if (!out_.empty()) {
    bool sent = co_await send({});
    if (!sent) co_return std::unexpected(kGone);
  }
  if (parser_.framing() == Framing::chunked) co_return co_await read_chunked_body();
  if (parser_.content_length() > kShortBody) co_return co_await read_long_body();
  co_return co_await read_short_body();
}

// Into in_, behind the head.
Task<Connection::Step> Connection::read_short_body() {
  request_size_ = parser_.size() + parser_.content_length();
  in_.reserve(request_size_);
  Pace pace = shared_.pace_of_body();
  while (in_.unread().size() < request_size_) {
    bool ready = co_await watch_.readable(pace.deadline());
    if (!ready) co_return std::unexpected(kBodyLate);
    std::size_t before = in_.unread().size();
    if (receive_more() == Moved::gone) co_return std::unexpected(kGone);
    pace.moved(in_.unread().size() - before, shared_.loop.now());
  }
  request_.body = in_.unread().substr(parser_.size());
  request_.body = request_.body.substr(0, parser_.content_length());
  co_return Step{};
}

// Received where it stays.
Task<Connection::Step> Connection::read_long_body() {
  std::string_view begun = in_.unread().substr(parser_.size());
  request_size_ = in_.unread().size();
  std::span<char> memory = memory_for_body(parser_.content_length());
  std::ranges::copy(begun, memory.begin());
  std::span<char> missing = memory.subspan(begun.size());
  Pace pace = shared_.pace_of_body();
  while (!missing.empty()) {
    bool ready = co_await watch_.readable(pace.deadline());
    if (!ready) co_return std::unexpected(kBodyLate);
    std::size_t count = 0;
    if (transport_.receive(missing, count) == Moved::gone) co_return std::unexpected(kGone);
    pace.moved(count, shared_.loop.now());
    missing = missing.subspan(count);
  }
  request_.body = {memory.data(), memory.size()};
  co_return Step{};
}

// Our own memory is only touched as the body arrives, so announcing much costs us nothing.
std::span<char> Connection::memory_for_body(std::size_t size) {
  if (shared_.body_pool) pooled_.reset(shared_.body_pool->allocate(size));
  if (pooled_) return {pooled_.get(), size};
  body_.resize_and_overwrite(size, [](char*, std::size_t all) { return all; });
  return body_;
}

void Connection::drop_body() {
  pooled_.reset();
  if (body_.capacity() > std::string().capacity()) std::string().swap(body_);
}

Task<Connection::Step> Connection::read_chunked_body() {
  ChunkedDecoder decoder{shared_.limits};
  Pace pace = shared_.pace_of_body();
  for (;;) {
    std::string_view arrived = in_.unread().substr(parser_.size());
    auto taken = decoder.decode(arrived, body_);
    if (!taken) co_return std::unexpected(taken.error());
    // From here on it grows in place: a string that doubles holds its bytes twice while it moves them. Memory that is
    // not touched costs nothing.
    if (body_.size() > kLongBody) body_.reserve(shared_.limits.body_bytes.count);
    if (decoder.done()) {
      request_size_ = parser_.size() + *taken;
      request_.body = body_;
      co_return Step{};
    }
    pace.moved(arrived.size(), shared_.loop.now());
    in_.drop_last(arrived.size());
    bool ready = co_await watch_.readable(pace.deadline());
    if (!ready) co_return std::unexpected(kBodyLate);
    if (receive_more() == Moved::gone) co_return std::unexpected(kGone);
  }
}

// To the parser it is the request line of a version that it does not know.
bool Connection::begins_http2() const {
  return shared_.limits.http2_streams > 0 && !transport_.is_secure() && in_.unread().starts_with(kHttp2Preface);
}

Task<void> Connection::refuse(Refusal refusal) {
  if (refusal.status == 0) co_return;
  Response response = refused(refusal, shared_.limits, remote_address_);
  append_head(out_, response, {.keep_alive = KeepAlive::no}, shared_.date.now());
  out_ += std::get<std::string>(response.body);
  bool sent = co_await send({});
  if (sent) co_await linger();
}

// A socket that is closed with unread data resets the connection, and the peer may lose the answer with it.
Task<void> Connection::say_goodbye() {
  bool sent = co_await send({});
  if (!sent) co_return;
  in_.consume(request_size_);
  if (!in_.unread().empty() || receive_more() == Moved::some) co_await linger();
}

Task<void> Connection::linger() {
  transport_.end_sending();
  Deadline end = Deadline::in(shared_.limits.linger);
  while (!end.passed()) {
    bool ready = co_await watch_.readable(end);
    in_.consume(in_.unread().size());
    if (!ready || receive_more() == Moved::gone) co_return;
    co_await shared_.loop.yield();
  }
}

}  // namespace nuclio::http
