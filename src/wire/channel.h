// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/bytes.h"
#include "base/result.h"
#include "loop/deadline.h"
#include "loop/stream.h"
#include "loop/task.h"
#include "wire/encode.h"
#include "wire/frame.h"
#include "wire/frame_reader.h"

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
  Stream stream_;
  FrameReader reader_;
  enum class Sending { idle, busy, broken } sending_ = Sending::idle;
};

}  // namespace nuclio::wire
