// SPDX-License-Identifier: Apache-2.0
// What a client of HTTP/2 sends behind its preface, in two pieces cut anywhere: whatever it is, the server writes whole
// frames, hands its handler nothing that HTTP/1 would have refused, and is done when the client has gone. The input's
// first two bytes say where to cut. Nothing is connected to anything: the two ends are a pair in this process.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/log.h"
#include "http/characters.h"
#include "http/http2_connection.h"
#include "loop/group.h"
#include "loop/stream.h"

namespace nuclio::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t kFrameHead = 9;
constexpr std::size_t kMostPayload = 16384;  // of a frame, as long as the peer allows no more; ours are never longer
constexpr std::size_t kMostStreams = 8;
constexpr int kMostRounds = 1000;

Limits small() {
  Limits limits;
  limits.header_bytes = Bytes{1024};
  limits.target_bytes = Bytes{256};
  limits.header_count = 20;
  limits.body_bytes = Bytes{48 << 10};
  limits.http2_streams = kMostStreams;
  limits.http2_bodies = Bytes{64 << 10};
  limits.http2_frames = {.burst = 50, .per_second = 1};
  limits.http2_resets = {.burst = 10, .per_second = 1};
  limits.linger = 0ms;
  return limits;
}

class Pieces final : public BodySource {
 public:
  Task<Result<std::optional<std::string>>> next() override {
    if (left_ == 0) co_return std::nullopt;
    co_return std::string(10'000, static_cast<char>('0' + left_--));
  }

 private:
  int left_ = 5;
};

// Answers in each of the ways there are, by the path.
class Checking final : public Handler {
 public:
  explicit Checking(Loop& loop) : loop_(loop) {}
  Task<Response> handle(Request& request) override {
    ++working_;
    CHECK(working_ <= kMostStreams);
    check(request);
    if (request.path.starts_with("/w")) co_await loop_.yield();
    Response response = Response::text(200, std::string(request.body));
    if (request.path.starts_with("/s")) response.body = std::make_unique<Pieces>();
    if (request.path.starts_with("/n")) response.status = 204;
    --working_;
    co_return response;
  }

 private:
  static void check(const Request& request) {
    const Limits limits = small();
    CHECK(is_header_name(request.method));
    CHECK(!request.path.empty() && request.target.size() <= limits.target_bytes.count);
    CHECK(std::ranges::all_of(request.target, is_target_character));
    CHECK(request.body.size() <= limits.body_bytes.count);
    CHECK(request.headers.size() <= limits.header_count + 1);  // and a Host that was an :authority
    for (const Header& field : request.headers) CHECK(is_header_name(field.name) && all_value_characters(field.value));
  }

  Loop& loop_;
  std::size_t working_ = 0;
};

// Takes what the server has written, and looks whether it is frames.
class Reader {
 public:
  explicit Reader(int socket) : socket_(socket) {}
  void read() {
    std::array<char, 65536> bytes;
    for (;;) {
      ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (got <= 0) return;
      received_.append(bytes.data(), static_cast<std::size_t>(got));
      take_frames();
    }
  }

 private:
  void take_frames() {
    std::size_t at = 0;
    for (; received_.size() - at >= kFrameHead;) {
      auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(received_[at + i])}; };
      std::size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
      CHECK(size <= kMostPayload);
      if (received_.size() - at < kFrameHead + size) break;
      at += kFrameHead + size;
    }
    received_.erase(0, at);
  }
  int socket_;
  std::string received_;
};

Task<void> converse(Shared& shared, Descriptor socket, bool& done) {
  Transport transport{shared.loop, std::move(socket)};
  Http2Connection connection{shared, transport, "peer"};
  co_await connection.run({});
  done = true;
}

Task<void> play(Loop& loop, std::string_view sent, std::size_t cut) {
  int ends[2];
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  Descriptor ours{ends[0]};
  Reader reader{ends[0]};
  Checking handler{loop};
  Shared shared{
      .loop = loop, .limits = small(), .handler = handler, .date = {}, .connections = {}, .http2_connections = {}};
  bool done = false;
  Group server{loop};
  server.spawn(converse(shared, Descriptor{ends[1]}, done));
  for (std::string_view piece : {kPreface, sent.substr(0, cut), sent.substr(cut)}) {
    for (int round = 0; !piece.empty() && !done && round < kMostRounds; ++round) {
      ssize_t count = ::send(ends[0], piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count > 0) piece.remove_prefix(static_cast<std::size_t>(count));
      reader.read();
      co_await loop.yield();
    }
    for (int round = 0; round < 4; ++round) co_await loop.yield();
    reader.read();
  }
  ::shutdown(ends[0], SHUT_WR);
  for (int round = 0; server.size() > 0 && round < kMostRounds; ++round) {
    reader.read();
    co_await loop.yield();
  }
  CHECK(done);  // its client has gone
  loop.stop();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool kQuiet = [] {
    log::configure({.level = log::Level::error});
    return true;
  }();
  (void)kQuiet;
  if (size < 2) return 0;
  std::string_view sent{reinterpret_cast<const char*>(data) + 2, size - 2};
  std::size_t cut = std::min<std::size_t>(data[0] | data[1] << 8, sent.size());
  Loop loop;
  Group tasks{loop};
  tasks.spawn(play(loop, sent, cut));
  if (tasks.size() > 0) loop.run();
  return 0;
}

}  // namespace nuclio::http
