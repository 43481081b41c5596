// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "loop/loop.h"
#include "ring_connection.h"
#include "runner.h"
#include "socket_connection.h"
#include "wire/event_arena.h"
#include "wire/ring_channel.h"

namespace nuclio::test {

using runner::Connection;
using runner::Frame;
using runner::Runner;

enum class Transport { socket, ring };

// The processor's end of a ring, which carries whole frames as bytes.
class RingEnd final {
 public:
  explicit RingEnd(std::uint32_t limit)
      : arena_(std::move(*wire::EventArena::create(loop_, Bytes{64 << 20}))),
        ends_(std::move(*wire::RingChannel::create(arena_->size(), Bytes{limit}))) {}

  nuclio_ring* attach() {
    return nuclio_ring_attach(ends_.memory.release(), arena_->reader()->release(), ends_.wake_worker.release(),
                              ends_.wake_processor.release());
  }
  // Frames back to back.
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      nuclio_wire_frame frame;
      ASSERT_EQ(nuclio_wire_decode(bytes.data(), bytes.size(), NUCLIO_WIRE_DEFAULT_LIMIT, &frame), NUCLIO_WIRE_OK);
      if (frame.type == NUCLIO_WIRE_CANCEL) {
        ends_.channel->cancel(frame.call);
      } else {
        char* block = arena_->allocate(frame.length);  // goes with the arena
        ASSERT_TRUE(block != nullptr && ends_.channel->has_slot());
        std::memcpy(block, bytes.data(), frame.length);
        ends_.channel->publish(NUCLIO_RING_IN_ARENA, arena_->offset(block), frame.length);
      }
      bytes.remove_prefix(frame.length);
    }
  }
  // Nothing when the runner has closed its socket, or is silent for long.
  std::optional<Frame> receive(int socket) {
    for (bool gone = false;;) {
      const auto next = ends_.channel->next();
      EXPECT_TRUE(next);
      if (!next) return std::nullopt;
      if (const auto& reply = *next) {
        Frame frame{std::make_unique<std::uint8_t[]>(reply->length), {}};
        std::memcpy(frame.bytes.get(), ends_.channel->arena().data() + reply->offset, reply->length);
        ends_.channel->release(reply->position);
        EXPECT_EQ(nuclio_wire_decode(frame.bytes.get(), reply->length, NUCLIO_WIRE_DEFAULT_LIMIT, &frame.view),
                  NUCLIO_WIRE_OK);
        return frame;
      }
      if (gone) return std::nullopt;
      if (!ends_.channel->arm()) continue;
      pollfd news[] = {{ends_.channel->wake_processor(), POLLIN, 0}, {socket, POLLRDHUP, 0}};
      if (poll(news, 2, 20'000) == 0) return std::nullopt;
      if (news[0].revents != 0) {
        std::uint64_t count;
        EXPECT_EQ(read(ends_.channel->wake_processor(), &count, sizeof count), 8);
      }
      gone = news[1].revents != 0;
      ends_.channel->disarm();
    }
  }
  void close() { ends_.channel->close(); }

 private:
  Loop loop_;
  std::unique_ptr<wire::EventArena> arena_;
  wire::RingChannel::Ends ends_;
};

inline std::string string_of(const Frame& frame, std::size_t index) {
  const nuclio_wire_text text = nuclio_wire_string(&frame.view, index);
  return {text.data, text.length};
}
inline std::string body_of(const nuclio_wire_frame& frame) {
  return {reinterpret_cast<const char*>(frame.body), frame.body_length};
}

// A runner on a thread of its own, and the processor's end of its socket.
class ProcessorEnd final {
 public:
  explicit ProcessorEnd(Transport transport = Transport::socket, std::uint32_t limit = NUCLIO_WIRE_DEFAULT_LIMIT)
      : ProcessorEnd(transport, pair(), limit) {}
  ~ProcessorEnd() {
    hang_up();
    if (thread_.joinable()) thread_.join();
  }
  ProcessorEnd(const ProcessorEnd&) = delete;
  ProcessorEnd& operator=(const ProcessorEnd&) = delete;

  void run(std::string object, runner::Worker worker) {
    thread_ = std::thread([this, object = std::move(object), worker = std::move(worker)] {
      std::unique_ptr<Connection> connection;
      if (ring_)
        connection = std::make_unique<runner::RingConnection>(ring_->attach(), runner_socket_);
      else
        connection = std::make_unique<runner::SocketConnection>(runner_socket_, limit_);
      exit_code_ = Runner(*connection).run(object, worker);
      complaint_ = connection->complaint();
    });
  }

  // For a test that reads the runner's end itself.
  int take_runner_socket() { return std::exchange(runner_socket_, -1); }

  void send(const nuclio_wire_head& head, std::string_view body = "") {
    if (ring_)
      ring_->send(runner::encode(head, body, NUCLIO_WIRE_DEFAULT_LIMIT));
    else
      EXPECT_TRUE(connection_.send(head, body));
  }
  void send_event(std::uint64_t call, std::string_view path, std::string_view body = "",
                  std::uint64_t deadline_ns = 0) {
    const std::string bytes = event(call, path, body, deadline_ns);
    send_bytes(bytes);
  }
  void send_control(std::uint64_t call, nuclio_wire_control kind) {
    const std::int64_t number = kind;
    send({.type = NUCLIO_WIRE_CONTROL, .call = call, .number = &number, .numbers = 1});
  }
  void send_bytes(std::string_view bytes) {
    if (ring_) return ring_->send(bytes);
    EXPECT_EQ(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }

  static std::string event(std::uint64_t call, std::string_view path, std::string_view body,
                           std::uint64_t deadline_ns = 0) {
    const std::string id = "event-" + std::string(path);
    const nuclio_wire_text strings[] = {{id.data(), id.size()}, {"POST", 4}, {path.data(), path.size()}};
    return runner::encode({.type = NUCLIO_WIRE_EVENT,
                           .call = call,
                           .deadline_ns = deadline_ns,
                           .string = strings,
                           .strings = 3,
                           .body_length = body.size()},
                          body, NUCLIO_WIRE_DEFAULT_LIMIT);
  }

  // The next frame that is no log line; those are kept in log(). Nothing when the runner closed, or is silent for long.
  std::optional<Frame> receive() {
    while (auto frame = next()) {
      if (frame->view.type != NUCLIO_WIRE_LOG) return frame;
      log_.push_back(std::move(*frame));
    }
    return std::nullopt;
  }
  // Waits for a log line with this message.
  bool receive_log(std::string_view message) {
    while (auto frame = next()) {
      const bool found = frame->view.type == NUCLIO_WIRE_LOG && string_of(*frame, NUCLIO_WIRE_LOG_MESSAGE) == message;
      log_.push_back(std::move(*frame));
      if (found) return true;
    }
    return false;
  }
  const std::vector<Frame>& log() const { return log_; }

  void hang_up() {
    if (ring_) ring_->close();
    shutdown(socket_, SHUT_RDWR);
  }
  int exit_code() {
    thread_.join();
    return exit_code_;
  }
  const std::string& complaint() const { return complaint_; }

 private:
  struct Sockets {
    int ours;
    int runners;
  };
  static Sockets pair() {
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) ADD_FAILURE() << "no socket pair";
    // A test that would wait for ever fails instead.
    const timeval patience = {20, 0};
    setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return {sockets[0], sockets[1]};
  }
  ProcessorEnd(Transport transport, Sockets sockets, std::uint32_t limit)
      : socket_(sockets.ours), runner_socket_(sockets.runners), limit_(limit), connection_(sockets.ours, limit) {
    if (transport == Transport::ring) ring_ = std::make_unique<RingEnd>(limit);
  }

  std::optional<Frame> next() { return ring_ ? ring_->receive(socket_) : connection_.receive(); }

  int socket_;
  int runner_socket_;
  std::uint32_t limit_;
  runner::SocketConnection connection_;
  std::unique_ptr<RingEnd> ring_;  // null over the socket
  std::vector<Frame> log_;
  std::thread thread_;
  int exit_code_ = -1;
  std::string complaint_;
};

}  // namespace nuclio::test
