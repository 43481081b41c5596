// SPDX-License-Identifier: Apache-2.0
#include "http/transport.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/log.h"
#include "http/characters.h"

namespace nuclio::http {
namespace {

constexpr std::size_t kRecord = 16 << 10;  // of TLS

}  // namespace

Transport::~Transport() {
  if (tls_ && !cut_) tls_->close();
}

Task<Transport::Secured> Transport::secure(const Tls& tls, Deadline deadline) {
  char first = 0;
  for (;;) {
    bool ready = co_await watch_.readable(deadline);
    if (!ready) co_return Secured::no;
    ssize_t got = ::recv(socket_.get(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got == 1) break;
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) co_return Secured::no;
    watch_.drained(Watch::Direction::read);
  }
  // TLS begins with the byte 22.
  if (is_token_character(first)) co_return Secured::plain;
  auto session = tls.begin_session(socket_.get());
  for (;;) {
    bool ready = true;
    switch (session->shake_hands(watch_)) {
      case TlsSession::Handshake::done: tls_ = std::move(session); co_return Secured::yes;
      case TlsSession::Handshake::wants_to_read: ready = co_await watch_.readable(deadline); break;
      case TlsSession::Handshake::wants_to_write: ready = co_await watch_.writable(deadline); break;
      case TlsSession::Handshake::failed:
        log::debug("A TLS handshake failed", {{"reason", session->failure()}});
        co_return Secured::no;
    }
    if (!ready) co_return Secured::no;
  }
}

Moved Transport::receive(std::span<char> into, std::size_t& count) {
  if (tls_) [[unlikely]]
    return tls_->receive(into, count, watch_);
  for (;;) {
    ssize_t got = ::recv(socket_.get(), into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0) {
      count = static_cast<std::size_t>(got);
      if (count < into.size()) watch_.drained(Watch::Direction::read);
      return Moved::some;
    }
    if (got == 0) return Moved::gone;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Moved::gone;
    watch_.drained(Watch::Direction::read);
    return Moved::again;
  }
}

Moved Transport::send(std::span<const iovec> parts, std::size_t& count) {
  if (tls_) [[unlikely]] {
    auto first = std::ranges::find_if(parts, [](const iovec& part) { return part.iov_len > 0; });
    return tls_->send({static_cast<const char*>(first->iov_base), first->iov_len}, count, watch_);
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  for (;;) {
    // One part is by far the most common, and cheaper without a description that the kernel has to fetch.
    bool one = parts.size() == 1 || (parts.size() == 2 && parts.back().iov_len == 0);
    ssize_t sent =
        one ? ::send(socket_.get(), parts.front().iov_base, parts.front().iov_len, MSG_NOSIGNAL | MSG_DONTWAIT)
            : ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      count = static_cast<std::size_t>(sent);
      return Moved::some;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Moved::gone;
    watch_.drained(Watch::Direction::write);
    return Moved::again;
  }
}

Moved Transport::send_file(int file, off_t& at, std::uint64_t count) {
  if (tls_) {
    std::array<char, kRecord> piece;
    ssize_t got = ::pread(file, piece.data(), std::min<std::uint64_t>(count, piece.size()), at);
    if (got < 0) return Moved::gone;
    if (got == 0) return Moved::some;
    std::size_t sent = 0;
    Moved moved = tls_->send({piece.data(), static_cast<std::size_t>(got)}, sent, watch_);
    at += static_cast<off_t>(sent);
    return moved;
  }
  for (;;) {
    ssize_t sent = ::sendfile(socket_.get(), file, &at, count);
    if (sent >= 0) return Moved::some;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Moved::gone;
    watch_.drained(Watch::Direction::write);
    return Moved::again;
  }
}

// What the socket has taken, the peer need not have: megabytes may lie in the kernel. The peer's pace is that at which
// they become less.
Task<bool> Transport::can_send(Pace& pace) {
  for (;;) {
    int before = 0;
    int after = 0;
    ::ioctl(socket_.get(), SIOCOUTQ, &before);
    bool ready = co_await watch_.writable(pace.deadline());
    ::ioctl(socket_.get(), SIOCOUTQ, &after);
    pace.moved(std::max(before - after, 0), watch_.loop().now());
    if (ready) co_return true;
    if (pace.deadline().when() <= watch_.loop().now()) co_return false;
  }
}

void Transport::end_sending() {
  if (tls_) tls_->close();
  ::shutdown(socket_.get(), SHUT_WR);
}

// Where only the end of the connection marks the end of a body, an orderly end would look complete.
void Transport::cut() {
  cut_ = true;
  ::linger now{1, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace nuclio::http
