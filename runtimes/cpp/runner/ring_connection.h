// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <mutex>

#include "connection.h"
#include "nuclio_ring.h"

namespace nuclio::runner {

// Frames through memory that is shared with the processor; those that are too long for it go over the socket.
class RingConnection final : public Connection {
 public:
  // Takes over the ring and the connected stream socket, which programs started by the handler will not inherit.
  RingConnection(nuclio_ring* ring, int socket);
  ~RingConnection() override;
  RingConnection(const RingConnection&) = delete;
  RingConnection& operator=(const RingConnection&) = delete;

  std::optional<Frame> receive() override;
  bool cancelled(std::uint64_t call) override;
  // A call that was not begun is not in the ring any more.
  bool cancelled_in_queue(std::uint64_t) const override { return false; }
  bool send(const nuclio_wire_head& head, std::string_view body) override;
  std::uint32_t limit() const override { return nuclio_ring_frame_limit(ring_); }
  const std::string& complaint() const override { return complaint_; }

 private:
  std::optional<Frame> receive_announced(std::uint32_t size);
  std::optional<Frame> decode(Frame frame, const void* data, std::uint32_t size);

  nuclio_ring* const ring_;
  const int socket_;
  std::string complaint_;
  std::mutex sending_;
};

}  // namespace nuclio::runner
