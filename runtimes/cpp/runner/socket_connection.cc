// SPDX-License-Identifier: Apache-2.0
#include "socket_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace nuclio::runner {
namespace {

// One read takes several small frames; a longer frame is read straight into memory of its own.
constexpr std::size_t kRead = 64 << 10;
// How far cancelled() looks ahead. A processor sends a worker few events before their turn, so this is never reached in
// good health; it keeps a long computation that asks often from reading without end.
constexpr std::size_t kLookAhead = 64;

}  // namespace

SocketConnection::SocketConnection(int socket, std::uint32_t limit) : socket_(socket), limit_(limit) {
  fcntl(socket_, F_SETFD, FD_CLOEXEC);
  // The processor may have set its end's flags before handing over ours; we wait in read and write.
  fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) & ~O_NONBLOCK);
}

SocketConnection::~SocketConnection() { close(socket_); }

std::optional<Frame> SocketConnection::receive() {
  while (arrived_.empty())
    if (closed_ || !read(Wait::yes)) return std::nullopt;
  Frame frame = std::move(arrived_.front());
  arrived_.pop_front();
  return frame;
}

bool SocketConnection::cancelled(std::uint64_t call) {
  while (!closed_ && arrived_.size() < kLookAhead && read(Wait::no)) {
  }
  return closed_ || cancelled_in_queue(call);
}

bool SocketConnection::cancelled_in_queue(std::uint64_t call) const {
  return std::any_of(arrived_.begin(), arrived_.end(), [&](const Frame& frame) {
    return frame.view.type == NUCLIO_WIRE_CANCEL && frame.view.call == call;
  });
}

// One read. False when there was nothing to read, or the connection has ended.
bool SocketConnection::read(Wait wait) {
  char buffer[kRead];
  const bool filling = large_.bytes != nullptr;
  void* to = filling ? static_cast<void*>(large_.bytes.get() + filled_) : buffer;
  const std::size_t room = filling ? large_.view.length - filled_ : sizeof buffer;
  // Who sleeps in recv() on a Unix socket is also woken whenever the other side has read something, for nothing.
  pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
  if (wait == Wait::yes) (void)poll(&readable, 1, -1);
  ssize_t count;
  do count = recv(socket_, to, room, wait == Wait::no ? MSG_DONTWAIT : 0);
  while (count < 0 && errno == EINTR);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  if (count <= 0) {
    closed_ = true;
    return false;
  }
  if (filling)
    filled_ += static_cast<std::size_t>(count);
  else
    rest_.append(buffer, static_cast<std::size_t>(count));
  split();
  return true;
}

// Moves whole frames from what was read to the queue.
void SocketConnection::split() {
  std::size_t position = 0;
  const auto refuse = [&](nuclio_wire_result result) {
    complaint_ = std::string("the processor wrote what is no frame: ") + nuclio_wire_explain(result);
    closed_ = true;
  };
  const auto take = [&](Frame frame, std::uint32_t length) {
    const auto result = nuclio_wire_decode(frame.bytes.get(), length, limit_, &frame.view);
    if (result != NUCLIO_WIRE_OK) return refuse(result);
    arrived_.push_back(std::move(frame));
  };
  if (large_.bytes != nullptr) {
    if (filled_ == large_.view.length) {
      const std::uint32_t length = large_.view.length;
      take(std::exchange(large_, Frame{}), length);
    }
    return;
  }
  while (!closed_) {
    std::uint32_t length = 0;
    const std::size_t left = rest_.size() - position;
    const auto result = nuclio_wire_length(rest_.data() + position, left, limit_, &length);
    if (result == NUCLIO_WIRE_SHORT) break;
    if (result != NUCLIO_WIRE_OK) return refuse(result);
    if (left < length && length <= kRead) break;
    Frame frame{std::make_unique_for_overwrite<std::uint8_t[]>(length), {}};
    const std::size_t have = std::min<std::size_t>(left, length);
    std::memcpy(frame.bytes.get(), rest_.data() + position, have);
    position += have;
    if (have == length) {
      take(std::move(frame), length);
    } else {
      large_ = std::move(frame);
      large_.view.length = length;
      filled_ = have;
      break;
    }
  }
  rest_.erase(0, position);
}

bool SocketConnection::send(const nuclio_wire_head& head, std::string_view body) {
  const std::size_t size = nuclio_wire_head_size(&head, limit_);
  if (size == 0) return false;
  const std::lock_guard lock(sending_);
  send_frame(socket_, head, size, body, limit_);
  return true;
}

void send_frame(int socket, const nuclio_wire_head& head, std::size_t head_size, std::string_view body,
                std::uint32_t limit) {
  std::string bytes(head_size, '\0');
  nuclio_wire_encode(&head, limit, bytes.data());
  static constexpr char kZeros[8] = {};
  iovec parts[] = {{bytes.data(), head_size},
                   {const_cast<char*>(body.data()), body.size()},
                   {const_cast<char*>(kZeros), nuclio_wire_padding(body.size())}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = std::size(parts);
  while (message.msg_iovlen > 0) {
    const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return;
    for (auto left = static_cast<std::size_t>(sent); message.msg_iovlen > 0;) {
      iovec& part = *message.msg_iov;
      const std::size_t done = std::min(left, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + done;
      part.iov_len -= done;
      left -= done;
      if (part.iov_len > 0) break;
      ++message.msg_iov;
      --message.msg_iovlen;
    }
  }
}

}  // namespace nuclio::runner
