// SPDX-License-Identifier: Apache-2.0
#include "ring_connection.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "socket_connection.h"

namespace nuclio::runner {

RingConnection::RingConnection(nuclio_ring* ring, int socket) : ring_(ring), socket_(socket) {
  fcntl(socket_, F_SETFD, FD_CLOEXEC);
  fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) & ~O_NONBLOCK);
  nuclio_ring_watch(ring_, socket_);
}

RingConnection::~RingConnection() {
  nuclio_ring_detach(ring_);
  close(socket_);
}

std::optional<Frame> RingConnection::receive() {
  for (;;) {
    const void* data = nullptr;
    std::uint32_t size = 0;
    switch (nuclio_ring_take(ring_, &data, &size)) {
      case NUCLIO_RING_FRAME: return decode({}, data, size);
      case NUCLIO_RING_SOCKET: return receive_announced(size);
      case NUCLIO_RING_CLOSED: return std::nullopt;
      case NUCLIO_RING_BROKEN: complaint_ = "the processor wrote into the ring what cannot be"; return std::nullopt;
      case NUCLIO_RING_EMPTY: break;
    }
    if (nuclio_ring_wait(ring_, -1) < 0 && errno != EINTR) {
      complaint_ = std::string("cannot wait for the processor: ") + std::strerror(errno);
      return std::nullopt;
    }
  }
}

std::optional<Frame> RingConnection::receive_announced(std::uint32_t size) {
  Frame frame{std::make_unique_for_overwrite<std::uint8_t[]>(size), {}};
  for (std::size_t filled = 0; filled < size;) {
    const ssize_t count = recv(socket_, frame.bytes.get() + filled, size - filled, MSG_WAITALL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    filled += static_cast<std::size_t>(count);
  }
  const std::uint8_t* bytes = frame.bytes.get();
  return decode(std::move(frame), bytes, size);
}

std::optional<Frame> RingConnection::decode(Frame frame, const void* data, std::uint32_t size) {
  std::size_t arena_size = 0;
  const void* arena = nuclio_ring_events(ring_, &arena_size);
  const auto result = nuclio_wire_decode_shared(data, size, limit(), arena, arena_size, &frame.view);
  if (result == NUCLIO_WIRE_OK) return frame;
  complaint_ = std::string("the processor wrote what is no frame: ") + nuclio_wire_explain(result);
  return std::nullopt;
}

bool RingConnection::cancelled(std::uint64_t call) {
  return nuclio_ring_cancelled(ring_) == call || nuclio_ring_closed(ring_) != 0;
}

bool RingConnection::send(const nuclio_wire_head& head, std::string_view body) {
  const std::size_t head_size = nuclio_wire_head_size(&head, limit());
  if (head_size == 0) return false;
  const std::size_t padding = nuclio_wire_padding(body.size());
  const std::size_t size = head_size + body.size() + padding;
  const std::lock_guard lock(sending_);
  const auto wait_room = [&](std::size_t room) {
    return nuclio_ring_wait_room(ring_, room, -1) >= 0 || errno == EINTR;
  };
  if (size > nuclio_ring_largest(ring_)) {
    while (nuclio_ring_announce(ring_, size) != 0)
      if (!wait_room(0)) return true;
    send_frame(socket_, head, head_size, body, limit());
    return true;
  }
  void* room;
  while ((room = nuclio_ring_reserve(ring_, size)) == nullptr)
    if (!wait_room(size)) return true;
  auto* to = static_cast<char*>(room);
  nuclio_wire_encode(&head, limit(), to);
  if (!body.empty()) std::memcpy(to + head_size, body.data(), body.size());
  std::memset(to + head_size + body.size(), 0, padding);
  nuclio_ring_publish(ring_, size);
  return true;
}

}  // namespace nuclio::runner
