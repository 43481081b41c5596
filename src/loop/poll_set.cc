// SPDX-License-Identifier: Apache-2.0
#include "loop/poll_set.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/check.h"

namespace nuclio {

// A set of its own, which the loop watches as one descriptor: level-triggered as the loop's is not, and without a
// coroutine or a Watch per descriptor that would have to end inside a call of the library.
PollSet::PollSet(Loop& loop) : set_(epoll_create1(EPOLL_CLOEXEC)), watch_(loop, set_.get()) {}

void PollSet::set(int descriptor, unsigned interest) {
  epoll_event event{};
  if (interest & kReadable) event.events |= EPOLLIN;
  if (interest & kWritable) event.events |= EPOLLOUT;
  event.data.fd = descriptor;
  if (event.events == 0) {
    // Out of the set altogether: epoll would go on to report a connection that broke.
    epoll_ctl(set_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
    return;
  }
  if (epoll_ctl(set_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0) return;
  CHECK(errno == EEXIST && epoll_ctl(set_.get(), EPOLL_CTL_MOD, descriptor, &event) == 0);
}

std::span<PollSet::Ready> PollSet::take(std::span<Ready> into) {
  std::array<epoll_event, 64> events;
  int count = epoll_wait(set_.get(), events.data(), static_cast<int>(std::min(events.size(), into.size())), 0);
  if (count <= 0) {
    watch_.drained(Watch::Direction::read);
    return {};
  }
  for (int i = 0; i < count; ++i) {
    unsigned seen = events[i].events;
    into[i] = {events[i].data.fd, (seen & EPOLLIN ? kReadable : 0u) | (seen & EPOLLOUT ? kWritable : 0u) |
                                      (seen & (EPOLLERR | EPOLLHUP) ? kBroken : 0u)};
  }
  return into.first(static_cast<std::size_t>(count));
}

}  // namespace nuclio
