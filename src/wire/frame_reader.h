// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/stream.h"
#include "wire/frame.h"

namespace nuclio::wire {

// Frames out of a stream of bytes, however it cuts them.
class FrameReader {
 public:
  explicit FrameReader(Bytes limit) : limit_(limit) {}

  // Reads from `stream` until a frame is whole; nothing when the stream has no more for now. Why::unavailable at its
  // end or when it broke; Why::invalid or too_large for bytes that are no frame: nothing that follows them can be
  // understood.
  Result<std::optional<Frame>> read(Stream& stream);

 private:
  // Enough for several small frames a read; longer ones are read straight into their own memory.
  static constexpr std::size_t kBuffer = 64 << 10;

  // A whole frame from what has been read, when there is one.
  Result<std::optional<Frame>> take();
  // Where the next read goes; never empty after take() found no frame.
  std::span<char> room();

  Bytes limit_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;  // of what was read into buffer_ and not taken yet
  std::size_t end_ = 0;
  std::unique_ptr<char[]> large_;  // set while the rest of a frame that buffer_ has no room for is read
  std::size_t large_length_ = 0;
  std::size_t large_filled_ = 0;
};

}  // namespace nuclio::wire
