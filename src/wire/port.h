// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "wire/encode.h"
#include "wire/event_arena.h"
#include "wire/frame.h"

namespace nuclio::wire {

// What the processor and one worker say to each other, whatever carries it. Owned by the worker's owner; lives on its
// loop's thread.
class Port {
 public:
  // The worker's owner; outlives the port. Neither function may destroy the port: it is in the midst of its work.
  class Listener {
   public:
    // A frame that is whole and within limits; what it means is for from_worker() to judge. Whoever keeps it for longer
    // than this round of the loop detaches it.
    virtual void received(Frame frame) = 0;
    // Once: "" when the worker closed its side, else what it did wrong. Nothing follows, and what was posted and not
    // answered will not be.
    virtual void ended(std::string fault) = 0;

   protected:
    ~Listener() = default;
  };

  virtual ~Port() = default;
  // Begins to receive. Once, before anything is posted; nothing is received inside this call.
  virtual void listen(Listener& listener) = 0;

  // Hand over without waiting. What an event borrows stays valid until sent(call), except a body inside the event
  // arena, which the port keeps by itself as long as it needs it. Call ids are never used twice on a port.
  // Why::too_large above the frame limit, Why::busy when there is no room (later or on another worker there may be),
  // Why::unavailable when the worker is gone.
  virtual Result<void> post(const Event& event) = 0;
  virtual Result<void> post_batch(CallId call, std::chrono::nanoseconds time_left, std::span<const Event> events) = 0;
  virtual Result<void> post_control(Control control, CallId call) = 0;
  // Nothing of the call is borrowed any more. True also for a call that was never posted.
  virtual bool sent(CallId call) const = 0;

  // Whether an event that the worker has not begun can be taken back.
  virtual bool can_revoke() const = 0;
  // True: the worker has not begun the call and never will. Also after ended() or stop(), for what it left behind.
  virtual bool revoke(CallId call) = 0;
  // False while the call could be revoked.
  virtual bool begun(CallId call) const = 0;
  // Tells the worker that nobody waits for a begun call any more. Best effort.
  virtual void cancel(CallId call) = 0;

  // Stops receiving, and goes on: back-pressure for a worker that streams more than its reader takes.
  virtual void pause() = 0;
  virtual void resume() = 0;
  // The end, from our side, also from inside the listener: nothing is sent or received any more, nothing is borrowed,
  // and ended() does not come. What was posted and not begun can still be revoked.
  virtual void stop() = 0;
};

// Frames over a connected Unix stream socket.
std::unique_ptr<Port> socket_port(Loop& loop, Descriptor socket, Bytes limit = kFrameLimit);

// The worker's ends of a ring, to be passed on to it.
struct RingDescriptors {
  Descriptor channel;
  Descriptor events;
  Descriptor wake_worker;
  Descriptor wake_processor;
};
// Frames through shared memory, see runtimes/wire/FORMAT.md. Small frames go through the channel's and `arena`'s
// memory, frames longer than EventArena::kLargest over `socket`, whose end is also the worker's end. `arena` is
// borrowed.
Result<std::pair<std::unique_ptr<Port>, RingDescriptors>> ring_port(Loop& loop, Descriptor socket, EventArena& arena,
                                                                    Bytes limit = kFrameLimit);
// Address space that a ring takes in a worker, beside the event arena: what a limit on its memory does not mean.
Bytes ring_channel_size();

}  // namespace nuclio::wire
