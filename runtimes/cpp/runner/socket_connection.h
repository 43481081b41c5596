// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <mutex>

#include "connection.h"

namespace nuclio::runner {

// Frames over the socket to the processor.
class SocketConnection final : public Connection {
 public:
  // Takes over the connected stream socket, which programs started by the handler will not inherit.
  SocketConnection(int socket, std::uint32_t limit);
  ~SocketConnection() override;
  SocketConnection(const SocketConnection&) = delete;
  SocketConnection& operator=(const SocketConnection&) = delete;

  std::optional<Frame> receive() override;
  bool cancelled(std::uint64_t call) override;
  bool cancelled_in_queue(std::uint64_t call) const override;
  bool send(const nuclio_wire_head& head, std::string_view body) override;
  std::uint32_t limit() const override { return limit_; }
  const std::string& complaint() const override { return complaint_; }

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

// The bytes of a frame into a blocking socket, whose caller keeps others from writing meanwhile. Errors are for who
// reads.
void send_frame(int socket, const nuclio_wire_head& head, std::size_t head_size, std::string_view body,
                std::uint32_t limit);

}  // namespace nuclio::runner
