// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "nuclio_wire.h"

namespace nuclio::runner {

// A frame and the bytes that it is a view of. Without bytes it is in memory that the processor lends until the last
// word on its call.
struct Frame {
  std::unique_ptr<std::uint8_t[]> bytes;
  nuclio_wire_frame view;
};

// Frames from and to the processor. The main thread receives; any thread may send.
class Connection {
 public:
  virtual ~Connection() = default;

  // The next frame; waits for it. Nothing when the processor has closed its side or wrote what is no frame: the latter
  // is in complaint().
  virtual std::optional<Frame> receive() = 0;

  // Whether the processor has taken back this call, as far as one look can tell without waiting. Frames that come to
  // light are kept for receive(). Also true when the processor is gone.
  virtual bool cancelled(std::uint64_t call) = 0;
  // Whether it was taken back before it was begun. A handler need not run then.
  virtual bool cancelled_in_queue(std::uint64_t call) const = 0;

  // Sends a frame; waits while the processor does not read. False when it is above the limit, and then nothing was
  // sent. To a processor that is gone it sends nothing and says true: the next receive() tells.
  virtual bool send(const nuclio_wire_head& head, std::string_view body) = 0;

  virtual std::uint32_t limit() const = 0;
  virtual const std::string& complaint() const = 0;
};

// A frame as bytes, for the body of a nested one. "" when it is above the limit.
std::string encode(const nuclio_wire_head& head, std::string_view body, std::uint32_t limit);

}  // namespace nuclio::runner
