// SPDX-License-Identifier: Apache-2.0
#include "wire/frame_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

namespace nuclio::wire {

Result<std::optional<Frame>> FrameReader::read(Stream& stream) {
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kBuffer);
  for (;;) {
    TRY(auto frame, take());
    if (frame) return frame;
    Stream::Tried tried = stream.try_read(room());
    switch (tried.outcome) {
      case Stream::Tried::Outcome::some: (large_ ? large_filled_ : end_) += tried.bytes; continue;
      case Stream::Tried::Outcome::again: return std::nullopt;
      case Stream::Tried::Outcome::end:
        return fail(Why::unavailable, large_ || begin_ != end_ ? "the worker closed its socket in the midst of a frame"
                                                               : "the worker closed its socket");
      case Stream::Tried::Outcome::broken:
        return fail(Why::unavailable, "the worker is gone: " + errno_error("reading", tried.error_number).what);
    }
  }
}

Result<std::optional<Frame>> FrameReader::take() {
  std::unique_ptr<char[]> bytes;
  std::size_t length = 0;
  if (large_) {
    if (large_filled_ < large_length_) return std::nullopt;
    bytes = std::move(large_);
    length = large_length_;
  } else {
    std::uint32_t announced = 0;
    auto most = std::min<std::uint64_t>(limit_.count, std::numeric_limits<std::uint32_t>::max());
    auto known =
        nuclio_wire_length(buffer_.get() + begin_, end_ - begin_, static_cast<std::uint32_t>(most), &announced);
    if (known == NUCLIO_WIRE_SHORT) return std::nullopt;
    if (known == NUCLIO_WIRE_TOO_LONG)
      return fail(Why::too_large, "the worker sent a frame above the limit of " + std::to_string(most) + " bytes");
    if (known != NUCLIO_WIRE_OK)
      return fail(Why::invalid, std::string{"the worker sent bytes that are no frame: "} + nuclio_wire_explain(known));
    length = announced;
    std::size_t here = end_ - begin_;
    if (here < length && length <= kBuffer - begin_) return std::nullopt;
    bytes = std::make_unique_for_overwrite<char[]>(length);
    std::memcpy(bytes.get(), buffer_.get() + begin_, std::min(here, length));
    begin_ += std::min(here, length);
    if (here < length) {
      large_ = std::move(bytes);
      large_length_ = length;
      large_filled_ = here;
      return std::nullopt;
    }
  }
  auto view = FrameView::decode({bytes.get(), length}, limit_);
  if (!view) return fail(std::move(view).error().in("the worker sent bytes that are no frame"));
  return Frame{std::move(bytes), *view};
}

std::span<char> FrameReader::room() {
  if (large_) return {large_.get() + large_filled_, large_length_ - large_filled_};
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (kBuffer - begin_ < NUCLIO_WIRE_HEADER_SIZE) {
    // Less than a length is left of the buffer, so what to read is not known yet.
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {buffer_.get() + end_, kBuffer - end_};
}

}  // namespace nuclio::wire
