// SPDX-License-Identifier: Apache-2.0
// What the tests of server and client share: a loop, a server on a port of the kernel's choice, and raw connections.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>
#include <string>

#include "http/body_pool.h"
#include "http/server.h"
#include "loop/run.h"
#include "loop/signals.h"
#include "loop/stream.h"

namespace nuclio::http {

// A handler that is a function.
class Answers final : public Handler {
 public:
  using Function = std::function<Task<Response>(Request&)>;
  explicit Answers(Function function) : function_(std::move(function)) {}
  Task<Response> handle(Request& request) override { return function_(request); }

 private:
  Function function_;
};

// "POST /path?query|body".
inline Task<Response> echo(Request& request) {
  std::string text = std::string(request.method) + " " + std::string(request.target) + "|" + std::string(request.body);
  co_return Response::text(200, std::move(text), "text/plain");
}

// Loopback delivers within the system call that sends, so after some rounds all has happened that is going to happen.
inline Task<void> settle(Loop& loop) {
  for (int round = 0; round < 100; ++round) co_await loop.yield();
}

// Waits for a condition, at most five seconds.
template <class Condition>
Task<void> until(Loop& loop, Condition condition) {
  Deadline end = Deadline::in(std::chrono::seconds{5});
  while (!condition() && !end.passed()) co_await loop.sleep(std::chrono::milliseconds{1});
  EXPECT_TRUE(condition());
}

// A raw connection to a server in this process, or elsewhere.
class Peer {
 public:
  Peer(Loop& loop, int port) : stream_(loop, connected(port)) {}

  Task<void> send(std::string bytes) {
    auto sent = co_await stream_.write_all(std::string_view(bytes), Deadline::in(std::chrono::seconds{5}));
    EXPECT_TRUE(sent) << sent.error().what;
  }
  // Reads until `end` was read, or to the end of the connection when that is "" (or comes first).
  Task<std::string> read_until(std::string end) {
    std::string got = std::exchange(left_, {});
    for (;;) {
      std::size_t found = end.empty() ? std::string::npos : got.find(end);
      if (found != std::string::npos) {
        left_ = got.substr(found + end.size());
        got.resize(found + end.size());
        co_return got;
      }
      char buffer[16384];
      auto count = co_await stream_.read_some(std::span<char>(buffer), Deadline::in(std::chrono::seconds{5}));
      if (!count) ADD_FAILURE() << count.error().what << "; got so far: " << got.substr(0, 500);
      if (!count || *count == 0) co_return got;
      got.append(buffer, *count);
    }
  }
  Task<std::string> read_to_end() { return read_until(""); }
  // One answer with Content-Length.
  Task<std::string> read_answer() {
    std::string head = co_await read_until("\r\n\r\n");
    std::size_t at = head.find("Content-Length: ");
    std::size_t size = at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
    while (left_.size() < size) {
      char buffer[16384];
      auto count = co_await stream_.read_some(std::span<char>(buffer), Deadline::in(std::chrono::seconds{5}));
      if (!count || *count == 0) {
        ADD_FAILURE() << "the body ended after " << left_.size() << " of " << size << " bytes";
        co_return head;
      }
      left_.append(buffer, *count);
    }
    std::string answer = head + left_.substr(0, size);
    left_.erase(0, size);
    co_return answer;
  }
  Stream& stream() { return stream_; }

 private:
  static Descriptor connected(int port) {
    Descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return socket;
  }
  Stream stream_;
  std::string left_;
};

struct TestServer {
  explicit TestServer(Answers::Function function = echo, Limits limits = {}, BodyPool* pool = nullptr)
      : answers(std::move(function)), server(loop, limits, answers, pool) {
    ignore_broken_pipes();
    auto listener = Listener::listen(loop, Address{"127.0.0.1", 0, ""});
    EXPECT_TRUE(listener) << listener.error().what;
    server.serve(std::move(*listener));
  }
  int port() const { return server.addresses().front().port; }
  std::string url(const std::string& target) const { return "http://127.0.0.1:" + std::to_string(port()) + target; }
  // Sends `request` on a new connection and gives all that comes back until the server closes.
  std::string exchange(std::string request) { return run_until_done(loop, exchange_task(std::move(request))); }
  Task<std::string> exchange_task(std::string request) {
    Peer peer{loop, port()};
    co_await peer.send(std::move(request));
    co_return co_await peer.read_to_end();
  }

  bool nobody_connected() const { return server.connections() == 0; }
  // Runs a script: a coroutine that plays the client and gives true at its end.
  template <class Script>
  void play(Script script) {
    EXPECT_TRUE(run_until_done(loop, script(*this)));
  }

  Loop loop;
  Answers answers;
  Server server;
};

// The answer's body.
inline std::string body_of(const std::string& answer) {
  std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace nuclio::http
