// SPDX-License-Identifier: Apache-2.0
#include "wire/encode.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace nuclio::wire {
namespace {

constexpr std::size_t kMaxPairs = std::numeric_limits<std::uint16_t>::max();

nuclio_wire_text text(std::string_view from) { return {from.data(), from.size()}; }

std::uint32_t as_limit(Bytes limit) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(limit.count, std::numeric_limits<std::uint32_t>::max()));
}

std::uint64_t nanoseconds_left(std::chrono::nanoseconds left) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 0));
}

std::unexpected<Error> too_large(std::string_view what, Bytes limit) {
  return fail(Why::too_large, std::string{what} + " does not fit into a frame of at most " +
                                  std::to_string(limit.count) + " bytes and 65535 headers and fields");
}

}  // namespace

EventHead::EventHead(const Event& event, Bytes limit, std::vector<nuclio_wire_pair>& pairs)
    : numbers_{event.shard_id, event.num_shards, event.offset},
      strings_{text(event.id),           text(event.method),       text(event.path),         text(event.url),
               text(event.content_type), text(event.trigger_kind), text(event.trigger_name), text(event.type),
               text(event.type_version), text(event.version),      text(event.topic)},
      limit_(as_limit(limit)) {
  if (event.headers.size() > kMaxPairs || event.fields.size() > kMaxPairs) return;
  pairs.clear();
  for (const Pair& pair : event.headers) pairs.push_back({text(pair.name), text(pair.value)});
  for (const Pair& pair : event.fields) pairs.push_back({text(pair.name), text(pair.value)});
  head_.type = NUCLIO_WIRE_EVENT;
  head_.call = event.call.value();
  head_.deadline_ns = nanoseconds_left(event.time_left);
  head_.timestamp_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(event.timestamp.time_since_epoch()).count();
  head_.number = numbers_.data();
  head_.numbers = NUCLIO_WIRE_EVENT_NUMBERS;
  head_.string = strings_.data();
  head_.strings = NUCLIO_WIRE_EVENT_STRINGS;
  head_.header = pairs.data();
  head_.headers = static_cast<std::uint16_t>(event.headers.size());
  head_.field = pairs.data() + event.headers.size();
  head_.fields = static_cast<std::uint16_t>(event.fields.size());
  head_.body_length = event.body.size();
  size_ = nuclio_wire_head_size(&head_, limit_);
}

void EventHead::write(char* to) const { CHECK(nuclio_wire_encode(&head_, limit_, to) == size_); }

void EventHead::write_shared(char* to, std::uint64_t body_offset) {
  head_.flags = NUCLIO_WIRE_SHARED;
  head_.body_offset = body_offset;
  write(to);
}

class Encoder {
 public:
  Encoder(Encoded& out, Bytes limit) : out_(out), limit_(as_limit(limit)) {
    out_.heads_.clear();
    out_.parts_.clear();
  }

  // Bytes that the event takes as a frame, 0 when it is above the limit.
  std::uint64_t event_size(const Event& event) {
    EventHead head{event, Bytes{limit_}, out_.pairs_};
    return head.size() ? head.size() + event.body.size() + nuclio_wire_padding(event.body.size()) : 0;
  }

  bool add(const Event& event) {
    EventHead head{event, Bytes{limit_}, out_.pairs_};
    return head.size() && add(head.head(), event.body);
  }

  bool add(const nuclio_wire_head& head, std::string_view body) {
    std::size_t size = nuclio_wire_head_size(&head, limit_);
    if (!size) return false;
    std::size_t at = out_.heads_.size();
    out_.heads_.resize(at + size);
    CHECK(nuclio_wire_encode(&head, limit_, out_.heads_.data() + at) == size);
    reserve_part(size);
    if (!body.empty()) {
      out_.parts_.push_back({const_cast<char*>(body.data()), body.size()});
      std::size_t padding = nuclio_wire_padding(body.size());
      out_.heads_.append(padding, '\0');
      if (padding) reserve_part(padding);
    }
    return true;
  }

  // Only now do the heads stay where they are.
  void finish() {
    char* at = out_.heads_.data();
    for (iovec& part : out_.parts_) {
      if (part.iov_base) continue;
      part.iov_base = at;
      at += part.iov_len;
    }
  }

 private:
  void reserve_part(std::size_t size) {
    if (!out_.parts_.empty() && !out_.parts_.back().iov_base) {
      out_.parts_.back().iov_len += size;
    } else {
      out_.parts_.push_back({nullptr, size});
    }
  }

  Encoded& out_;
  std::uint32_t limit_;
};

Bytes Encoded::size() const {
  std::uint64_t total = 0;
  for (const iovec& part : parts_) total += part.iov_len;
  return {total};
}

Result<void> encode(const Event& event, Encoded& out, Bytes limit) {
  Encoder encoder{out, limit};
  if (!encoder.add(event)) return too_large("the event", limit);
  encoder.finish();
  return {};
}

Result<void> encode_batch(CallId call, std::chrono::nanoseconds time_left, std::span<const Event> events, Encoded& out,
                          Bytes limit) {
  Encoder encoder{out, limit};
  nuclio_wire_head head{};
  head.type = NUCLIO_WIRE_BATCH;
  head.flags = NUCLIO_WIRE_NESTED;
  head.call = call.value();
  head.deadline_ns = nanoseconds_left(time_left);
  for (const Event& event : events) {
    std::uint64_t size = encoder.event_size(event);
    if (!size) return too_large("an event of the batch", limit);
    head.body_length += size;
  }
  if (!encoder.add(head, {})) return too_large("the batch", limit);
  for (const Event& event : events) CHECK(encoder.add(event));
  encoder.finish();
  return {};
}

void encode_control(Control control, CallId call, Encoded& out) {
  Encoder encoder{out, kFrameLimit};
  auto kind = static_cast<std::int64_t>(control);
  nuclio_wire_head head{};
  head.type = NUCLIO_WIRE_CONTROL;
  head.call = call.value();
  head.number = &kind;
  head.numbers = 1;
  CHECK(encoder.add(head, {}));
  encoder.finish();
}

void encode_cancel(CallId call, Encoded& out) {
  Encoder encoder{out, kFrameLimit};
  nuclio_wire_head head{};
  head.type = NUCLIO_WIRE_CANCEL;
  head.call = call.value();
  CHECK(encoder.add(head, {}));
  encoder.finish();
}

}  // namespace nuclio::wire
