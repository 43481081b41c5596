// SPDX-License-Identifier: Apache-2.0
#include "loop/stream.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>

#include "base/check.h"

namespace nuclio {
namespace {

int non_blocking(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  CHECK(flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0);
  return descriptor;
}

bool is_socket(int descriptor) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

std::size_t size_of(std::span<const iovec> parts) {
  std::size_t total = 0;
  for (const iovec& part : parts) total += part.iov_len;
  return total;
}

}  // namespace

Stream::Stream(Loop& loop, Descriptor descriptor)
    : descriptor_(std::move(descriptor)),
      socket_(is_socket(descriptor_.get())),
      watch_(loop, non_blocking(descriptor_.get())) {}

// What sockets have of their own is a good bit cheaper than what all descriptors have in common.
ssize_t Stream::receive(std::span<char> into) {
  return socket_ ? ::recv(descriptor_.get(), into.data(), into.size(), 0)
                 : ::read(descriptor_.get(), into.data(), into.size());
}

ssize_t Stream::send(std::span<const iovec> parts) {
  std::size_t count = std::min<std::size_t>(parts.size(), IOV_MAX);
  if (!socket_) return ::writev(descriptor_.get(), parts.data(), static_cast<int>(count));
  if (count == 1) return ::send(descriptor_.get(), parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = count;
  return ::sendmsg(descriptor_.get(), &message, MSG_NOSIGNAL);
}

Stream::Tried Stream::try_read(std::span<char> into) {
  for (;;) {
    ssize_t count = receive(into);
    if (count > 0) {
      // epoll(7): a stream that gave less than was asked for is drained, which saves the read that would say EAGAIN.
      if (static_cast<std::size_t>(count) < into.size()) watch_.drained(Watch::Direction::read);
      return {Tried::Outcome::some, static_cast<std::size_t>(count)};
    }
    if (count == 0) return {Tried::Outcome::end};
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      watch_.drained(Watch::Direction::read);
      return {Tried::Outcome::again};
    }
    return {Tried::Outcome::broken, 0, errno};
  }
}

Stream::Tried Stream::try_write(std::span<const iovec> parts) {
  for (;;) {
    ssize_t count = send(parts);
    if (count >= 0) {
      if (static_cast<std::size_t>(count) < size_of(parts)) watch_.drained(Watch::Direction::write);
      return {Tried::Outcome::some, static_cast<std::size_t>(count)};
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      watch_.drained(Watch::Direction::write);
      return {Tried::Outcome::again};
    }
    return {Tried::Outcome::broken, 0, errno};
  }
}

Task<Result<std::size_t>> Stream::read_some(std::span<char> into, Deadline deadline) {
  for (;;) {
    Tried tried = try_read(into);
    switch (tried.outcome) {
      case Tried::Outcome::some: co_return tried.bytes;
      case Tried::Outcome::end: co_return std::size_t{0};
      case Tried::Outcome::broken: co_return std::unexpected(errno_error("reading", tried.error_number));
      case Tried::Outcome::again: break;
    }
    bool ready = co_await watch_.readable(deadline);
    if (!ready) co_return fail(Why::timeout, "nothing arrived in time");
  }
}

Task<Result<void>> Stream::write_all(std::string_view bytes, Deadline deadline) {
  std::vector<iovec> parts{{const_cast<char*>(bytes.data()), bytes.size()}};
  return write_all(std::move(parts), deadline);
}

Task<Result<void>> Stream::write_all(std::vector<iovec> parts, Deadline deadline) {
  std::span<iovec> left = parts;
  for (;;) {
    while (!left.empty() && left.front().iov_len == 0) left = left.subspan(1);
    if (left.empty()) co_return Result<void>{};
    Tried tried = try_write(left);
    if (tried.outcome == Tried::Outcome::broken) co_return std::unexpected(errno_error("writing", tried.error_number));
    if (tried.outcome == Tried::Outcome::again) {
      bool ready = co_await watch_.writable(deadline);
      if (!ready) co_return fail(Why::timeout, "the peer did not take the data in time");
      continue;
    }
    for (std::size_t written = tried.bytes; written > 0;) {
      std::size_t here = std::min(written, left.front().iov_len);
      left.front().iov_base = static_cast<char*>(left.front().iov_base) + here;
      left.front().iov_len -= here;
      written -= here;
      if (left.front().iov_len == 0) left = left.subspan(1);
    }
  }
}

void Stream::shut_down_writing() { ::shutdown(descriptor_.get(), SHUT_WR); }

Result<std::pair<Descriptor, Descriptor>> socket_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return fail_errno("making a socket pair");
  return std::pair{Descriptor{ends[0]}, Descriptor{ends[1]}};
}

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe");
  return Pipe{Descriptor{ends[0]}, Descriptor{ends[1]}};
}

}  // namespace nuclio
