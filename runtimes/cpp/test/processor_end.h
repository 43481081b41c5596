// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "connection.h"
#include "runner.h"

namespace nuclio::test {

using runner::Connection;
using runner::Frame;
using runner::Runner;

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
  explicit ProcessorEnd(std::uint32_t limit = NUCLIO_WIRE_DEFAULT_LIMIT) : ProcessorEnd(pair(), limit) {}
  ~ProcessorEnd() {
    hang_up();
    if (thread_.joinable()) thread_.join();
  }
  ProcessorEnd(const ProcessorEnd&) = delete;
  ProcessorEnd& operator=(const ProcessorEnd&) = delete;

  void run(std::string object, runner::Worker worker) {
    thread_ = std::thread([this, object = std::move(object), worker = std::move(worker)] {
      Connection connection(runner_socket_, limit_);
      exit_code_ = Runner(connection).run(object, worker);
      complaint_ = connection.complaint();
    });
  }

  // For a test that reads the runner's end itself.
  int take_runner_socket() { return std::exchange(runner_socket_, -1); }

  void send(const nuclio_wire_head& head, std::string_view body = "") { EXPECT_TRUE(connection_.send(head, body)); }
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
    while (auto frame = connection_.receive()) {
      if (frame->view.type != NUCLIO_WIRE_LOG) return frame;
      log_.push_back(std::move(*frame));
    }
    return std::nullopt;
  }
  // Waits for a log line with this message.
  bool receive_log(std::string_view message) {
    while (auto frame = connection_.receive()) {
      const bool found = frame->view.type == NUCLIO_WIRE_LOG && string_of(*frame, NUCLIO_WIRE_LOG_MESSAGE) == message;
      log_.push_back(std::move(*frame));
      if (found) return true;
    }
    return false;
  }
  const std::vector<Frame>& log() const { return log_; }

  void hang_up() { shutdown(socket_, SHUT_RDWR); }
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
  ProcessorEnd(Sockets sockets, std::uint32_t limit)
      : socket_(sockets.ours), runner_socket_(sockets.runners), limit_(limit), connection_(sockets.ours, limit) {}

  int socket_;
  int runner_socket_;
  std::uint32_t limit_;
  Connection connection_;
  std::vector<Frame> log_;
  std::thread thread_;
  int exit_code_ = -1;
  std::string complaint_;
};

}  // namespace nuclio::test
