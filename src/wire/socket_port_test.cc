// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "loop/signals.h"
#include "wire/test_worker.h"

namespace nuclio::wire {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct Ends {
  explicit Ends(Loop& loop, Bytes limit = kFrameLimit) {
    auto pair = socket_pair();
    EXPECT_TRUE(pair);
    port = socket_port(loop, std::move(pair->first), limit);
    port->listen(heard);
    peer.emplace(loop, std::move(pair->second));
  }
  Heard heard;
  std::unique_ptr<Port> port;
  std::optional<Stream> peer;
};

Task<int> write(Stream& stream, std::string bytes, std::size_t piece) {
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    std::string part = bytes.substr(at, piece);
    auto written = co_await stream.write_all(part, Deadline::in(10s));
    EXPECT_TRUE(written);
    co_await stream.loop().yield();
  }
  stream.shut_down_writing();
  co_return 0;
}

// All that the port heard of `bytes`, cut into pieces, and its end.
void send(Loop& loop, Ends& ends, std::string bytes, std::size_t piece) {
  run_until_done(loop, write(*ends.peer, std::move(bytes), piece));
  EXPECT_TRUE(run_until(loop, [&] { return ends.heard.end.has_value(); }));
}

TEST(SocketPort, FramesArriveWholeHoweverTheSocketCutsThem) {
  std::string large(300'000, 'l');
  std::string bytes;
  std::vector<std::string> bodies{"", "small", large, "x", std::string(65'000, 'y'), "z", std::string(65'480, 'w')};
  for (std::size_t i = 0; i < bodies.size(); ++i) bytes += reply_bytes(i, bodies[i]);
  for (std::size_t piece : {bytes.size(), std::size_t{65536}, std::size_t{4099}, std::size_t{997}}) {
    SCOPED_TRACE(piece);
    Loop loop;
    Ends ends{loop};
    send(loop, ends, bytes, piece);
    EXPECT_THAT(ends.heard.calls, ElementsAre(0, 1, 2, 3, 4, 5, 6));
    EXPECT_TRUE(ends.heard.bodies == bodies);
    EXPECT_EQ(*ends.heard.end, "");
  }
}

TEST(SocketPort, AFrameOfSingleBytesArrives) {
  Loop loop;
  Ends ends{loop};
  send(loop, ends, reply_bytes(1, "b") + reply_bytes(2, "d"), 1);
  EXPECT_THAT(ends.heard.bodies, ElementsAre("b", "d"));
}

TEST(SocketPort, AWorkerThatEndsInTheMidstOfAFrameHasJustEnded) {
  Loop loop;
  Ends ends{loop};
  std::string bytes = reply_bytes(1, "b");
  bytes.pop_back();
  send(loop, ends, bytes, bytes.size());
  EXPECT_EQ(*ends.heard.end, "");
  EXPECT_TRUE(ends.heard.calls.empty());
}

TEST(SocketPort, RefusesAFrameAboveTheLimitBeforeItIsThere) {
  Loop loop;
  Ends ends{loop, Bytes{1024}};
  send(loop, ends, reply_bytes(1, std::string(5000, 'x')).substr(0, 8), 100);
  EXPECT_EQ(*ends.heard.end, "the worker sent a frame above the limit of 1024 bytes");
}

TEST(SocketPort, RefusesBytesThatAreNoFrame) {
  Loop loop;
  Ends ends{loop};
  send(loop, ends, "what is this?\n", 100);
  EXPECT_THAT(*ends.heard.end, testing::StartsWith("the worker sent bytes that are no frame"));
}

TEST(SocketPort, RefusesABodyInAnArenaThatASocketDoesNotHave) {
  Loop loop;
  Ends ends{loop};
  send(loop, ends, bytes_of({.type = NUCLIO_WIRE_REPLY, .flags = NUCLIO_WIRE_SHARED, .call = 1}, ""), 100);
  EXPECT_THAT(*ends.heard.end, testing::HasSubstr("has flags that its type does not have"));
}

Task<std::string> read(Stream& stream, std::size_t size) {
  std::string got;
  std::vector<char> buffer(10'000);
  while (got.size() < size) {
    auto count =
        co_await stream.read_some({buffer.data(), std::min(buffer.size(), size - got.size())}, Deadline::in(10s));
    if (!count || *count == 0) break;
    got.append(buffer.data(), *count);
  }
  co_return got;
}

TEST(SocketPort, SendsFramesThatAreLargerThanTheSocketWholeAndInOrder) {
  Loop loop;
  Ends ends{loop};
  std::string body(2'000'001, 'q');
  Event big{.call = CallId{1}, .id = "big", .body = body};
  Event small{.call = CallId{2}, .id = "small", .body = "s"};
  ASSERT_TRUE(ends.port->post(big));
  ASSERT_TRUE(ends.port->post(small));
  EXPECT_FALSE(ends.port->sent(CallId{1}));
  EXPECT_FALSE(ends.port->sent(CallId{2}));
  EXPECT_TRUE(ends.port->sent(CallId{3}));
  std::string all = event_bytes("big", body) + event_bytes("small", "s");
  std::string got = run_until_done(loop, read(*ends.peer, all.size()));
  auto first = FrameView::decode(got);
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_TRUE(first->body() == body);
  auto second = FrameView::decode(std::string_view{got}.substr(first->size().count));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->string(NUCLIO_WIRE_EVENT_ID), "small");
  EXPECT_TRUE(run_until(loop, [&] { return ends.port->sent(CallId{1}) && ends.port->sent(CallId{2}); }));
}

TEST(SocketPort, AWorkerThatReadsNothingIsGivenNoMoreAtSomePoint) {
  Loop loop;
  Ends ends{loop};
  std::string body(2'000'001, 'q');
  std::uint64_t call = 0;
  Result<void> posted;
  while (posted && call < 1000) {
    Event event{.call = CallId{++call}, .body = body};
    posted = ends.port->post(event);
  }
  ASSERT_FALSE(posted);
  EXPECT_EQ(posted.error().why, Why::busy);
}

TEST(SocketPort, SaysThatTheWorkerIsGone) {
  ignore_broken_pipes();
  Loop loop;
  Ends ends{loop};
  ends.peer.reset();
  auto posted = ends.port->post_control(Control::drain, CallId{1});
  ASSERT_FALSE(posted);
  EXPECT_EQ(posted.error().why, Why::unavailable);
  EXPECT_TRUE(run_until(loop, [&] { return ends.heard.end.has_value(); }));
  EXPECT_EQ(*ends.heard.end, "");
}

TEST(SocketPort, AWorkerThatStopsReadingHasEndedThoughItsSideIsOpen) {
  ignore_broken_pipes();
  Loop loop;
  Ends ends{loop};
  ASSERT_EQ(shutdown(ends.peer->descriptor(), SHUT_RD), 0);
  EXPECT_FALSE(ends.port->post_control(Control::drain, CallId{1}));
  EXPECT_TRUE(run_until(loop, [&] { return ends.heard.end.has_value(); }));
}

TEST(SocketPort, WhatIsPausedWaitsAndIsNotLost) {
  Loop loop;
  Ends ends{loop};
  ends.port->pause();
  run_until_done(loop, write(*ends.peer, reply_bytes(1, "a"), 1000));
  run_until_done(loop, some_rounds(loop, 20));
  EXPECT_TRUE(ends.heard.calls.empty());
  ends.port->resume();
  EXPECT_TRUE(run_until(loop, [&] { return ends.heard.end.has_value(); }));
  EXPECT_THAT(ends.heard.calls, ElementsAre(1));
}

TEST(SocketPort, TakesNothingBack) {
  Loop loop;
  Ends ends{loop};
  Event event{.call = CallId{1}};
  ASSERT_TRUE(ends.port->post(event));
  EXPECT_FALSE(ends.port->can_revoke());
  EXPECT_FALSE(ends.port->revoke(CallId{1}));
  EXPECT_TRUE(ends.port->begun(CallId{1}));
}

}  // namespace
}  // namespace nuclio::wire
