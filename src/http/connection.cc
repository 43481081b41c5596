// SPDX-License-Identifier: Apache-2.0
#include "http/connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
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
// An answer's text up to this size is copied behind its head: cheaper than a second element in the kernel's hands, and
// answers to pipelined requests go out together.
constexpr std::size_t kShortAnswer = 16 << 10;
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

std::unique_ptr<char[]> Spares::take_buffer() {
  if (buffers_.empty()) return std::make_unique_for_overwrite<char[]>(kBuffer);
  auto buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

void Spares::give_buffer(std::unique_ptr<char[]> buffer) {
  if (buffers_.size() < kMostBuffers) buffers_.push_back(std::move(buffer));
}

void Spares::lend_text(std::string& text) {
  if (text.empty() && text.capacity() < text_.capacity()) text = std::move(text_);
}

void Spares::take_back_text(std::string& text) {
  if (text.capacity() > text_.capacity() && text.capacity() <= kLongestText) text.swap(text_);
  if (text.capacity() > std::string().capacity()) std::string().swap(text);
}

std::span<char> Buffer::space() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == capacity_) reserve(std::max(end_ - begin_ + 1, Spares::kBuffer));
  return {memory_.get() + end_, capacity_ - end_};
}

void Buffer::reserve(std::size_t total) {
  if (capacity_ - begin_ >= total) return;
  std::size_t size = end_ - begin_;
  if (capacity_ >= total) {
    std::memmove(memory_.get(), memory_.get() + begin_, size);
  } else if (total <= Spares::kBuffer) {
    memory_ = spares_.take_buffer();  // there was none
    capacity_ = Spares::kBuffer;
  } else {
    std::size_t capacity = std::max(total, 2 * capacity_);
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (size > 0) std::memcpy(larger.get(), memory_.get() + begin_, size);
    std::swap(memory_, larger);
    if (std::exchange(capacity_, capacity) == Spares::kBuffer) spares_.give_buffer(std::move(larger));
  }
  begin_ = 0;
  end_ = size;
}

void Buffer::release() {
  if (capacity_ == Spares::kBuffer) spares_.give_buffer(std::move(memory_));
  memory_.reset();
  capacity_ = begin_ = end_ = 0;
}

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

Moved Connection::try_send(std::string_view& tail) {
  while (!out_.empty() || !tail.empty()) {
    std::array<iovec, 2> parts{
        {{out_.data() + sent_, out_.size() - sent_}, {const_cast<char*>(tail.data()), tail.size()}}};
    std::size_t count = 0;
    if (Moved moved = transport_.send(parts, count); moved != Moved::some) return moved;
    std::size_t of_out = std::min(count, out_.size() - sent_);
    sent_ += of_out;
    tail.remove_prefix(count - of_out);
    if (sent_ == out_.size()) {
      out_.clear();
      sent_ = 0;
    }
  }
  return Moved::some;
}

Task<bool> Connection::send(std::string_view tail) {
  Pace pace = shared_.pace_of_answer();
  for (;;) {
    Moved moved = try_send(tail);
    if (moved != Moved::again) co_return moved == Moved::some;
    bool ready = co_await transport_.can_send(pace);
    if (!ready) co_return false;
  }
}

Task<bool> Connection::send_body(Body& body, Sending sending) {
  if (auto* text = std::get_if<std::string>(&body)) co_return co_await send(*text);
  if (auto* lent = std::get_if<LentBody>(&body)) co_return co_await send_lent(*lent);
  if (auto* file = std::get_if<FileBody>(&body)) co_return co_await send_file(*file);
  co_return co_await send_stream(*std::get<std::unique_ptr<BodySource>>(body), sending);
}

Task<bool> Connection::send_lent(LentBody& lent) {
  Deadline keep_until = Deadline::in(shared_.limits.loan_time);
  std::string_view rest = lent.bytes;
  for (bool ready = true; ready;) {
    Moved moved = try_send(rest);
    if (moved != Moved::again) co_return moved == Moved::some;
    ready = co_await watch_.writable(keep_until);
  }
  std::string copy{rest};
  lent = {};
  co_return co_await send(copy);
}

Task<bool> Connection::send_file(const FileBody& file) {
  bool sent = co_await send({});
  if (!sent) co_return false;
  Pace pace = shared_.pace_of_answer();
  off_t at = 0;
  while (static_cast<std::uint64_t>(at) < file.size().count) {
    off_t before = at;
    Moved moved = transport_.send_file(file.descriptor(), at, file.size().count - at);
    if (moved == Moved::gone) co_return false;
    if (moved == Moved::some && at == before) {
      log::warn("An answer was cut: its file became shorter while it was sent",
                {{"announced_bytes", file.size().count}, {"sent_bytes", at}});
      co_return false;
    }
    if (moved == Moved::some) continue;
    bool ready = co_await transport_.can_send(pace);
    if (!ready) co_return false;
  }
  co_return true;
}

Task<bool> Connection::send_stream(BodySource& source, Sending sending) {
  auto gone = begin(peer_gone());
  for (;;) {
    auto next = begin(source.next());
    if (!next.done()) {
      bool sent = co_await send({});
      if (!sent) co_return false;
      co_await next.finished_or(gone);
      if (!next.done()) co_return false;
    }
    auto piece = next.take();
    if (!piece) {
      log::warn("A streamed answer was cut: its source failed", {{"reason", piece.error().what}});
      transport_.cut();
      co_return false;
    }
    if (!*piece) break;
    const std::string& data = **piece;
    if (data.empty()) continue;
    if (sending == Sending::chunked) append_chunk_size(out_, data.size());
    bool sent = true;
    if (data.size() > kShortAnswer) {
      sent = co_await send(data);
    } else {
      out_ += data;
    }
    if (sending == Sending::chunked) out_ += "\r\n";
    if (out_.size() > shared_.limits.coalesced_bytes.count) sent = sent && co_await send({});
    if (!sent) co_return false;
  }
  if (sending == Sending::chunked) out_ += kLastChunk;
  co_return true;
}

Task<bool> Connection::peer_gone() {
  receive_first_ = true;
  while (!watch_.peer_gone()) {
    watch_.drained(Watch::Direction::read);
    (void)co_await watch_.readable(Deadline::never());
  }
  co_return true;
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
