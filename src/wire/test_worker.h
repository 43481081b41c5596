// SPDX-License-Identifier: Apache-2.0
// For tests: the other side of a port, and a listener that writes down what it hears.
#pragma once
#include <gtest/gtest.h>
#include <nuclio_ring.h>
#include <nuclio_wire.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loop/run.h"
#include "loop/stream.h"
#include "wire/port.h"

namespace nuclio::wire {

inline std::string bytes_of(const nuclio_wire_head& head, std::string_view body) {
  std::string bytes(nuclio_wire_head_size(&head, NUCLIO_WIRE_DEFAULT_LIMIT), '\0');
  EXPECT_EQ(nuclio_wire_encode(&head, NUCLIO_WIRE_DEFAULT_LIMIT, bytes.data()), bytes.size());
  bytes += body;
  bytes.append(nuclio_wire_padding(body.size()), '\0');
  return bytes;
}

inline std::string reply_bytes(std::uint64_t call, std::string_view body, std::uint16_t flags = 0) {
  return bytes_of({.type = NUCLIO_WIRE_REPLY, .flags = flags, .call = call, .body_length = body.size()}, body);
}

inline std::string chunk_bytes(std::uint64_t call, std::string_view body, std::uint16_t flags = 0) {
  return bytes_of({.type = NUCLIO_WIRE_CHUNK, .flags = flags, .call = call, .body_length = body.size()}, body);
}

inline std::string done_bytes(std::uint64_t call) {
  std::int64_t done = NUCLIO_WIRE_DONE;
  return bytes_of({.type = NUCLIO_WIRE_CONTROL, .call = call, .number = &done, .numbers = 1}, "");
}

inline std::string event_bytes(std::string_view id, std::string_view body) {
  Event event{.call = CallId{1}, .id = id, .body = body};
  Encoded out;
  EXPECT_TRUE(encode(event, out));
  std::string bytes;
  for (const iovec& part : out.parts()) bytes.append(static_cast<const char*>(part.iov_base), part.iov_len);
  return bytes;
}

class Heard final : public Port::Listener {
 public:
  void received(Frame frame) override {
    calls.push_back(frame->call().value());
    bodies.emplace_back(frame->body());
    if (keep) frames.push_back(std::move(frame));
  }
  void ended(std::string fault) override {
    EXPECT_FALSE(end) << "ended twice";
    end = std::move(fault);
  }

  std::vector<std::uint64_t> calls;
  std::vector<std::string> bodies;
  bool keep = false;
  std::vector<Frame> frames;
  std::optional<std::string> end;
};

template <class Condition>
Task<bool> reached(Loop& loop, Condition condition) {
  Deadline deadline = Deadline::in(std::chrono::seconds{20});
  while (!condition() && !deadline.passed()) co_await loop.sleep(std::chrono::microseconds{200});
  co_return condition();
}

// Runs the loop until the condition holds; false when it does not within a long time.
template <class Condition>
bool run_until(Loop& loop, Condition condition) {
  return run_until_done(loop, reached(loop, std::move(condition)));
}

inline Task<int> some_rounds(Loop& loop, int rounds) {
  for (int i = 0; i < rounds; ++i) co_await loop.yield();
  co_return 0;
}

// A ring with the worker's side in the same thread, for what has to happen in a certain order.
class RingEnds {
 public:
  explicit RingEnds(Loop& loop, Bytes limit = kFrameLimit, Bytes arena_size = Bytes{64 << 20}) {
    auto made = EventArena::create(loop, arena_size);
    EXPECT_TRUE(made);
    arena = std::move(*made);
    auto sockets = socket_pair();
    EXPECT_TRUE(sockets);
    auto ends = ring_port(loop, std::move(sockets->first), *arena, limit);
    EXPECT_TRUE(ends);
    port = std::move(ends->first);
    descriptors = std::move(ends->second);
    socket = std::move(sockets->second);
  }
  ~RingEnds() {
    if (worker) nuclio_ring_detach(worker);
  }

  nuclio_ring* attach() {
    worker = nuclio_ring_attach(descriptors.channel.release(), descriptors.events.release(),
                                descriptors.wake_worker.release(), descriptors.wake_processor.release());
    EXPECT_NE(worker, nullptr);
    return worker;
  }

  // The worker's next frame, taken.
  std::optional<nuclio_wire_frame> take() {
    const void* data = nullptr;
    std::uint32_t size = 0;
    if (nuclio_ring_take(worker, &data, &size) != NUCLIO_RING_FRAME) return std::nullopt;
    std::size_t arena_size = 0;
    const void* events = nuclio_ring_events(worker, &arena_size);
    nuclio_wire_frame frame;
    auto decoded = nuclio_wire_decode_shared(data, size, NUCLIO_WIRE_DEFAULT_LIMIT, events, arena_size, &frame);
    EXPECT_EQ(decoded, NUCLIO_WIRE_OK);
    return frame;
  }
  std::uint64_t take_call() {
    auto frame = take();
    return frame ? frame->call : 0;
  }

  // False when there is no room.
  bool publish(std::string_view bytes) {
    void* room = nuclio_ring_reserve(worker, bytes.size());
    if (!room) return false;
    std::memcpy(room, bytes.data(), bytes.size());
    nuclio_ring_publish(worker, bytes.size());
    return true;
  }

  std::unique_ptr<EventArena> arena;
  std::unique_ptr<Port> port;
  RingDescriptors descriptors;
  Descriptor socket;
  nuclio_ring* worker = nullptr;
};

inline std::string_view body_of(const nuclio_wire_frame& frame) {
  return {reinterpret_cast<const char*>(frame.body), frame.body_length};
}

}  // namespace nuclio::wire
