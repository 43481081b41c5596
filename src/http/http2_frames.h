// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nuclio::http {

// What stands before each frame of HTTP/2, as far as we look at it ourselves.
struct Http2FrameHead {
  std::uint32_t length;
  std::uint8_t type;
  std::uint8_t flags;
};

// Where the frames of a client begin and end, since nghttp2 does not tell of all: of those that it ignores, or that are
// half there. Knows nothing of their sense.
class Http2Frames {
 public:
  static constexpr std::uint8_t kData = 0;
  static constexpr std::uint8_t kHeaders = 1;
  static constexpr std::uint8_t kContinuation = 9;

  // Calls seen(Http2FrameHead) for each frame whose head is complete with these bytes.
  template <class Seen>
  void receive(std::string_view bytes, Seen seen) {
    while (!bytes.empty()) {
      std::size_t count = std::min<std::size_t>(left_, bytes.size());
      if (in_head_) std::copy_n(bytes.begin(), count, head_.end() - left_);
      bytes.remove_prefix(count);
      left_ -= static_cast<std::uint32_t>(count);
      if (left_ == 0 && in_head_) {
        frame_ = {byte(0) << 16 | byte(1) << 8 | byte(2), static_cast<std::uint8_t>(head_[3]),
                  static_cast<std::uint8_t>(head_[4])};
        in_head_ = false;
        left_ = frame_.length;
        if (is_of_headers()) in_headers_ = true;
        seen(frame_);
      }
      if (left_ == 0) end_frame();
    }
  }
  // The peer has begun to send header fields, and not ended.
  bool in_headers() const { return in_headers_; }

 private:
  static constexpr std::uint32_t kPreface = 24;
  static constexpr std::uint8_t kEndHeaders = 4;

  std::uint32_t byte(std::size_t at) const { return static_cast<unsigned char>(head_[at]); }
  bool is_of_headers() const { return frame_.type == kHeaders || frame_.type == kContinuation; }
  void end_frame() {
    if (!in_head_ && is_of_headers() && (frame_.flags & kEndHeaders)) in_headers_ = false;
    in_head_ = true;
    left_ = static_cast<std::uint32_t>(head_.size());
  }

  std::array<char, 9> head_{};
  std::uint32_t left_ = kPreface;  // of the preface, the head or the frame
  bool in_head_ = false;
  bool in_headers_ = false;
  Http2FrameHead frame_{};
};

}  // namespace nuclio::http
