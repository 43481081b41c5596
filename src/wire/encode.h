// SPDX-License-Identifier: Apache-2.0
// What the processor says to a worker, as bytes ready for one writev. Bodies are never copied.
#pragma once
#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/frame.h"

namespace nuclio::wire {

// An event as a worker sees it. All text is borrowed until the frame has been sent.
struct Event {
  CallId call{0};
  std::chrono::nanoseconds time_left{0};  // until the deadline; 0 is none
  std::chrono::system_clock::time_point timestamp;
  std::string_view id;
  std::string_view method;
  std::string_view path;
  std::string_view url;
  std::string_view content_type;
  std::string_view trigger_kind;
  std::string_view trigger_name;
  std::string_view type;
  std::string_view type_version;
  std::string_view version;
  std::string_view topic;
  std::int64_t shard_id = -1;
  std::int64_t num_shards = 0;
  std::int64_t offset = 0;
  std::span<const Pair> headers;
  std::span<const Pair> fields;
  std::string_view body;
};

// What an event is as a frame, without its body. Borrows the event and `pairs`, which is scratch: using the same one
// again saves its allocations.
class EventHead {
 public:
  EventHead(const Event& event, Bytes limit, std::vector<nuclio_wire_pair>& pairs);

  // Bytes of the frame before its body; 0 when the frame would be above the limit or has too many headers or fields.
  std::size_t size() const { return size_; }
  // Writes them to memory that has room for them. The body and its padding are to follow there.
  void write(char* to) const;
  // The same for a body that is at an offset in the arena: this is the whole frame then.
  void write_shared(char* to, std::uint64_t body_offset);

  const nuclio_wire_head& head() const { return head_; }

 private:
  std::array<std::int64_t, NUCLIO_WIRE_EVENT_NUMBERS> numbers_;
  std::array<nuclio_wire_text, NUCLIO_WIRE_EVENT_STRINGS> strings_;
  nuclio_wire_head head_{};
  std::uint32_t limit_;
  std::size_t size_ = 0;
};

// A frame to send. Reusing one saves its allocations; whoever fills it keeps bodies alive until it has been sent.
class Encoded {
 public:
  std::span<const iovec> parts() const { return parts_; }
  Bytes size() const;

 private:
  friend class Encoder;
  std::string heads_;  // all that is not a body, back to back
  std::vector<iovec> parts_;
  std::vector<nuclio_wire_pair> pairs_;  // scratch
};

enum class Control : std::int64_t {
  drain = NUCLIO_WIRE_DRAIN,
  terminate = NUCLIO_WIRE_TERMINATE,
  go_on = NUCLIO_WIRE_CONTINUE,
};

// All fail with Why::too_large when the frame would be above the limit or has more than 65 535 headers or fields.
Result<void> encode(const Event& event, Encoded& out, Bytes limit = kFrameLimit);
// One frame with all events; their own call ids are not used, ids must differ from each other.
Result<void> encode_batch(CallId call, std::chrono::nanoseconds time_left, std::span<const Event> events, Encoded& out,
                          Bytes limit = kFrameLimit);
// `call` comes back in the worker's `done`.
void encode_control(Control control, CallId call, Encoded& out);
void encode_cancel(CallId call, Encoded& out);

}  // namespace nuclio::wire
