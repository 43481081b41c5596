// SPDX-License-Identifier: Apache-2.0
// How a Connection's answers leave.
#include <sys/uio.h>

#include <array>

#include "base/log.h"
#include "http/connection.h"

namespace nuclio::http {

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

}  // namespace nuclio::http
