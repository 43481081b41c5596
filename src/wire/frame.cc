// SPDX-License-Identifier: Apache-2.0
#include "wire/frame.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

namespace nuclio::wire {

std::string_view name(Type type) {
  switch (type) {
    case Type::start: return "start";
    case Type::event: return "event";
    case Type::batch: return "batch";
    case Type::reply: return "reply";
    case Type::chunk: return "chunk";
    case Type::log: return "log";
    case Type::metric: return "metric";
    case Type::ack: return "ack";
    case Type::control: return "control";
    case Type::cancel: return "cancel";
  }
  return "unknown";
}

Result<FrameView> FrameView::decode(std::string_view bytes, Bytes limit) { return decode_shared(bytes, {}, limit); }

Result<FrameView> FrameView::decode_shared(std::string_view bytes, std::string_view arena, Bytes limit) {
  auto most =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(limit.count, std::numeric_limits<std::uint32_t>::max()));
  nuclio_wire_frame frame;
  auto result = nuclio_wire_decode_shared(bytes.data(), bytes.size(), most, arena.data(), arena.size(), &frame);
  if (result == NUCLIO_WIRE_OK) return FrameView{frame};
  return fail(result == NUCLIO_WIRE_TOO_LONG ? Why::too_large : Why::invalid, nuclio_wire_explain(result));
}

std::chrono::nanoseconds FrameView::time_left() const {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return std::chrono::nanoseconds{static_cast<std::int64_t>(std::min(frame_.deadline_ns, kMost))};
}

std::chrono::system_clock::time_point FrameView::timestamp() const {
  return std::chrono::system_clock::time_point{std::chrono::nanoseconds{frame_.timestamp_ns}};
}

void Frame::detach() {
  if (!loan_) return;
  std::string_view body = view_.body();
  body_ = std::make_unique_for_overwrite<char[]>(body.size());
  std::memcpy(body_.get(), body.data(), body.size());
  view_.frame_.body = reinterpret_cast<const std::uint8_t*>(body_.get());
  loan_.reset();
}

std::vector<FrameView> FrameView::inner() const {
  std::vector<FrameView> frames;
  std::size_t position = 0;
  nuclio_wire_frame frame;
  while (nuclio_wire_next(&frame_, &position, &frame)) frames.push_back(FrameView{frame});
  return frames;
}

}  // namespace nuclio::wire
