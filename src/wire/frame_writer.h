// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <deque>

#include "base/result.h"
#include "loop/group.h"
#include "loop/stream.h"
#include "wire/encode.h"
#include "wire/frame.h"

namespace nuclio::wire {

// Frames onto a stream, whole and in order, without waiting: what the stream does not take at once follows in the
// background. The stream is borrowed. Lives on its loop's thread.
class FrameWriter {
 public:
  explicit FrameWriter(Stream& stream) : stream_(stream), background_(stream.loop()) {}

  // Many more than a worker is ever given before it reads; beyond, it does not read.
  static constexpr std::size_t kMostQueued = 64;

  // The frame to fill for the next send(). Using the same one again saves its allocations.
  Encoded& next() { return next_; }
  // Hands over next(). What it borrows stays until !holds(call). Why::busy when too many wait already, Why::unavailable
  // once the stream broke.
  Result<void> send(CallId call);
  bool full() const { return queue_.size() >= kMostQueued; }
  bool holds(CallId call) const;
  // Nothing is written any more, and nothing borrowed.
  void stop();

 private:
  struct Queued {
    CallId call;
    Encoded frame;
    std::size_t written = 0;
  };
  enum class Wrote { all, some, broken };

  // Goes on with `frame` behind what has been written of it.
  Wrote write(const Encoded& frame, std::size_t& written);
  Task<void> flush();
  void broke();

  Stream& stream_;
  Encoded next_;
  std::deque<Queued> queue_;
  bool broken_ = false;
  Group background_;
};

}  // namespace nuclio::wire
