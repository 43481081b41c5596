// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/deadline.h"
#include "loop/stream.h"
#include "loop/task.h"
#include "wire/encode.h"
#include "wire/frame.h"

namespace nuclio::wire {

// Frames over a Unix stream socket. Owned by one worker, which sends from one coroutine and receives in another; lives
// on its loop's thread. The owner keeps receiving while it sends: a worker that writes does not read.
class Channel {
 public:
  Channel(Loop& loop, Descriptor socket, Bytes limit = kFrameLimit);

  // All of the frame in one writev where the socket takes it. `frame` and the bodies it borrows stay until then.
  // Why::timeout at the deadline, Why::unavailable when the worker is gone. A send that did not complete, by an error,
  // its deadline or because its Task was destroyed, may have left half a frame: every later one is Why::unavailable.
  Task<Result<void>> send(const Encoded& frame, Deadline deadline);

  // The next frame. Why::unavailable at the end of the stream, Why::timeout at the deadline (asking again is fine),
  // Why::invalid or too_large for bytes that are no frame: nothing that follows them can be understood.
  Task<Result<Frame>> receive(Deadline deadline);

  // The worker has closed its side.
  bool peer_gone() const { return stream_.peer_gone(); }

 private:
  // Enough for several small frames a read; longer ones are read straight into their own memory.
  static constexpr std::size_t kBuffer = 64 << 10;

  // A whole frame from what has been read, when there is one.
  Result<std::optional<Frame>> take();
  // Where the next read goes; never empty after take() found no frame.
  std::span<char> room();

  Stream stream_;
  Bytes limit_;
  enum class Sending { idle, busy, broken } sending_ = Sending::idle;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;  // of what was read into buffer_ and not taken yet
  std::size_t end_ = 0;
  std::unique_ptr<char[]> large_;  // set while the rest of a frame that buffer_ has no room for is read
  std::size_t large_length_ = 0;
  std::size_t large_filled_ = 0;
};

}  // namespace nuclio::wire
