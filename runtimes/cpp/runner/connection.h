// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "nuclio_wire.h"

namespace nuclio::runner {

// A frame and the bytes that it is a view of.
struct Frame {
  std::unique_ptr<std::uint8_t[]> bytes;
  nuclio_wire_frame view;
};

// Frames over the socket to the processor. The main thread receives; any thread may send.
class Connection final {
 public:
  // Takes over the connected stream socket, which programs started by the handler will not inherit.
  Connection(int socket, std::uint32_t limit);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The next frame; waits for it. Nothing when the processor has closed the socket or wrote what is no frame: the
  // latter is in complaint().
  std::optional<Frame> receive();

  // Whether the processor has taken back this call, as far as one look at the socket can tell without waiting. Frames
  // that come to light are kept for receive(). Also true when the processor is gone.
  bool cancelled(std::uint64_t call);
  // The same among the frames that have arrived already.
  bool cancelled_in_queue(std::uint64_t call) const;

  // Sends a frame; waits while the processor does not read. False when it is above the limit, and then nothing was
  // sent. To a processor that is gone it sends nothing and says true: the next receive() tells.
  bool send(const nuclio_wire_head& head, std::string_view body);

  std::uint32_t limit() const { return limit_; }
  const std::string& complaint() const { return complaint_; }

 private:
  enum class Wait { yes, no };

  bool read(Wait wait);
  void split();

  const int socket_;
  const std::uint32_t limit_;
  std::string complaint_;
  bool closed_ = false;
  std::deque<Frame> arrived_;
  std::string rest_;        // bytes read that are not yet a whole frame, shorter than one read
  Frame large_;             // a longer frame that is being filled
  std::size_t filled_ = 0;  // how far
  std::mutex sending_;
};

// A frame as bytes, for the body of a nested one. "" when it is above the limit.
std::string encode(const nuclio_wire_head& head, std::string_view body, std::uint32_t limit);

}  // namespace nuclio::runner
