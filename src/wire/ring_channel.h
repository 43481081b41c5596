// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nuclio_ring_layout.h>

#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/descriptor.h"

namespace nuclio::wire {

// The processor's side of the memory that it shares with one worker: slots, flags and wake-ups, without any idea of
// what is in a frame. See runtimes/wire/FORMAT.md. The worker may write anything anywhere at any time: what is read
// here is read once and checked, and all that is decided upon is kept in private. Lives on its loop's thread, and as
// long as the port and every frame whose body it lends.
class RingChannel {
 public:
  struct Ends {
    std::shared_ptr<RingChannel> channel;  // shared by the port and the frames that it handed out
    Descriptor memory;                     // the worker's
    Descriptor wake_worker;
    Descriptor wake_processor;
  };
  // `events` is the size of the event arena.
  static Result<Ends> create(Bytes events, Bytes limit);
  ~RingChannel();
  RingChannel(const RingChannel&) = delete;
  RingChannel& operator=(const RingChannel&) = delete;

  static constexpr Bytes kArena{2 * std::uint64_t{NUCLIO_RING_LARGEST}};
  static constexpr Bytes kSize{NUCLIO_RING_ARENA_AT + kArena.count};

  // Readable when the worker wakes the processor.
  int wake_processor() const { return wake_processor_.get(); }

  // Events. A position names a published slot for ever.
  bool has_slot() const;
  // `has_slot()` said so. Wakes the worker when it sleeps.
  std::uint64_t publish(nuclio_ring_where where, std::uint64_t offset, std::uint32_t length);
  bool taken(std::uint64_t position) const;
  // True: it was not taken and never will be.
  bool revoke(std::uint64_t position);
  void cancel(std::uint64_t call);

  // Replies. What a slot says is within bounds; the bytes that it points to may change at any time.
  struct Reply {
    std::uint64_t position;
    nuclio_ring_where where;
    std::uint64_t offset;
    std::uint32_t length;
  };
  // The next one, or nothing when the worker has published no more. The error says what the worker did wrong.
  Result<std::optional<Reply>> next();
  // Each reply once, in any order; the worker gets its memory back in order.
  void release(std::uint64_t position);
  std::string_view arena() const { return {base_ + NUCLIO_RING_ARENA_AT, kArena.count}; }

  // From here on the worker wakes the processor; false, and it does not, when there is a reply already.
  bool arm();
  void disarm();

  // Asks the worker to give back pages of large replies when it has nothing to do.
  void ask_to_give_back();
  // Nothing more is published. Wakes the worker, whatever it waits for.
  void close();

 private:
  RingChannel(Descriptor memory, char* base, Descriptor wake_worker, Descriptor wake_processor);
  nuclio_ring_header& header() const { return *reinterpret_cast<nuclio_ring_header*>(base_); }
  nuclio_ring_slot& event_slot(std::uint64_t position) const;
  nuclio_ring_slot& reply_slot(std::uint64_t position) const;
  void wake();
  void wake_for_room();

  Descriptor memory_;
  char* base_;
  Descriptor wake_worker_;
  Descriptor wake_processor_;
  bool tells_cpu_ = false;  // the worker may spin and wants to know where the processor runs
  std::uint64_t next_event_ = NUCLIO_RING_SLOTS;
  std::uint64_t next_reply_ = NUCLIO_RING_SLOTS;
  std::uint64_t released_ = NUCLIO_RING_SLOTS;  // all replies before it are released
  std::bitset<NUCLIO_RING_SLOTS> done_;         // released out of order
};

}  // namespace nuclio::wire
