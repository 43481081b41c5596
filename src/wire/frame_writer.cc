// SPDX-License-Identifier: Apache-2.0
#include "wire/frame_writer.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace nuclio::wire {

Result<void> FrameWriter::send(CallId call) {
  if (broken_) return fail(Why::unavailable, "the worker does not take frames any more");
  if (full()) return fail(Why::busy, "the worker does not read what was sent to it");
  std::size_t written = 0;
  if (queue_.empty()) {
    switch (write(next_, written)) {
      case Wrote::all: return {};
      case Wrote::some: break;
      case Wrote::broken: broke(); return fail(Why::unavailable, "the worker does not take frames any more");
    }
  }
  queue_.push_back({call, std::exchange(next_, Encoded{}), written});
  if (queue_.size() == 1) background_.spawn(flush());
  return {};
}

bool FrameWriter::holds(CallId call) const {
  return std::ranges::any_of(queue_, [&](const Queued& each) { return each.call == call; });
}

void FrameWriter::stop() {
  background_.cancel();
  queue_.clear();
  broken_ = true;
}

FrameWriter::Wrote FrameWriter::write(const Encoded& frame, std::size_t& written) {
  std::array<iovec, 64> parts;
  for (;;) {
    std::size_t skip = written;
    std::size_t count = 0;
    for (const iovec& part : frame.parts()) {
      if (skip >= part.iov_len) {
        skip -= part.iov_len;
        continue;
      }
      parts[count++] = {static_cast<char*>(part.iov_base) + skip, part.iov_len - skip};
      skip = 0;
      if (count == parts.size()) break;
    }
    if (count == 0) return Wrote::all;
    Stream::Tried tried = stream_.try_write({parts.data(), count});
    if (tried.outcome == Stream::Tried::Outcome::again) return Wrote::some;
    if (tried.outcome == Stream::Tried::Outcome::broken) return Wrote::broken;
    written += tried.bytes;
  }
}

Task<void> FrameWriter::flush() {
  while (!queue_.empty()) {
    switch (write(queue_.front().frame, queue_.front().written)) {
      case Wrote::all: queue_.pop_front(); continue;
      case Wrote::some: break;
      case Wrote::broken: broke(); co_return;
    }
    (void)co_await stream_.writable(Deadline::never());
  }
}

// A worker that reads nothing more may still write. Ended from both sides it is seen by whoever reads, in one place.
void FrameWriter::broke() {
  broken_ = true;
  queue_.clear();
  ::shutdown(stream_.descriptor(), SHUT_RDWR);
}

}  // namespace nuclio::wire
