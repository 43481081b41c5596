// SPDX-License-Identifier: Apache-2.0
#include "wire/channel.h"

#include <gtest/gtest.h>

#include "loop/run.h"
#include "loop/signals.h"

namespace nuclio::wire {
namespace {

using namespace std::chrono_literals;

struct Ends {
  explicit Ends(Loop& loop, Bytes limit = kFrameLimit) {
    auto pair = socket_pair();
    channel.emplace(loop, std::move(pair->first), limit);
    peer.emplace(loop, std::move(pair->second));
  }
  std::optional<Channel> channel;
  std::optional<Stream> peer;
};

std::string event_bytes(std::string_view id, std::string_view body) {
  Event event{.call = CallId{1}, .id = id, .body = body};
  Encoded out;
  EXPECT_TRUE(encode(event, out));
  std::string bytes;
  for (const iovec& part : out.parts()) bytes.append(static_cast<const char*>(part.iov_base), part.iov_len);
  return bytes;
}

Task<void> write(Stream& stream, std::string bytes, std::size_t piece) {
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    std::string part = bytes.substr(at, piece);
    auto written = co_await stream.write_all(part, Deadline::in(10s));
    EXPECT_TRUE(written);
    co_await stream.loop().yield();
  }
  stream.shut_down_writing();
}

struct Received {
  std::vector<std::string> ids;
  std::vector<std::string> bodies;
  Error end{Why::internal, ""};
};

Task<Received> receive_all(Loop& loop, Ends& ends, std::string bytes, std::size_t piece) {
  Group group{loop};
  group.spawn(write(*ends.peer, std::move(bytes), piece));
  Received received;
  for (;;) {
    auto frame = co_await ends.channel->receive(Deadline::in(10s));
    if (!frame) {
      received.end = frame.error();
      co_return received;
    }
    received.ids.emplace_back(frame->view().string(NUCLIO_WIRE_EVENT_ID));
    received.bodies.emplace_back(frame->view().body());
  }
}

TEST(Channel, FramesArriveWholeHoweverTheSocketCutsThem) {
  std::string large(300'000, 'l');
  std::string bytes;
  std::vector<std::string> bodies{"", "small", large, "x", std::string(65'000, 'y'), "z", std::string(65'480, 'w')};
  for (std::size_t i = 0; i < bodies.size(); ++i) bytes += event_bytes(std::to_string(i), bodies[i]);
  for (std::size_t piece : {bytes.size(), std::size_t{65536}, std::size_t{4099}, std::size_t{997}}) {
    SCOPED_TRACE(piece);
    Loop loop;
    Ends ends{loop};
    Received received = run_until_done(loop, receive_all(loop, ends, bytes, piece));
    EXPECT_EQ(received.ids, (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6"}));
    EXPECT_TRUE(received.bodies == bodies);
    EXPECT_EQ(received.end.why, Why::unavailable);
    EXPECT_EQ(received.end.what, "the worker closed its socket");
  }
}

TEST(Channel, AFrameOfSingleBytesArrives) {
  Loop loop;
  Ends ends{loop};
  Received received = run_until_done(loop, receive_all(loop, ends, event_bytes("a", "b") + event_bytes("c", "d"), 1));
  EXPECT_EQ(received.ids, (std::vector<std::string>{"a", "c"}));
}

TEST(Channel, SaysWhenTheWorkerEndsInTheMidstOfAFrame) {
  Loop loop;
  Ends ends{loop};
  std::string bytes = event_bytes("a", "b");
  bytes.pop_back();
  Received received = run_until_done(loop, receive_all(loop, ends, bytes, bytes.size()));
  EXPECT_EQ(received.end.why, Why::unavailable);
  EXPECT_EQ(received.end.what, "the worker closed its socket in the midst of a frame");
}

TEST(Channel, RefusesAFrameAboveTheLimitBeforeItIsThere) {
  Loop loop;
  Ends ends{loop, Bytes{1024}};
  std::string bytes = event_bytes("a", std::string(5000, 'x')).substr(0, 8);
  Received received = run_until_done(loop, receive_all(loop, ends, bytes, bytes.size()));
  EXPECT_EQ(received.end.why, Why::too_large);
  EXPECT_EQ(received.end.what, "the worker sent a frame above the limit of 1024 bytes");
}

TEST(Channel, RefusesBytesThatAreNoFrame) {
  Loop loop;
  Ends ends{loop};
  Received received = run_until_done(loop, receive_all(loop, ends, "what is this?\n", 100));
  EXPECT_EQ(received.end.why, Why::invalid);
}

Task<Result<Frame>> receive_by(Channel& channel, Deadline deadline) { return channel.receive(deadline); }

TEST(Channel, AReceiveThatTimedOutCanBeAskedAgain) {
  Loop loop;
  Ends ends{loop};
  auto none = run_until_done(loop, receive_by(*ends.channel, Deadline::in(1ms)));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().why, Why::timeout);
  Received received = run_until_done(loop, receive_all(loop, ends, event_bytes("a", "b"), 1000));
  EXPECT_EQ(received.ids, std::vector<std::string>{"a"});
}

Task<Result<void>> send(Channel& channel, const Encoded& frame, Deadline deadline) {
  return channel.send(frame, deadline);
}

Task<std::string> send_and_read(Loop& loop, Ends& ends, const Encoded& frame) {
  std::optional<Result<void>> sent;
  Group group{loop};
  group.spawn(detail::keep(send(*ends.channel, frame, Deadline::in(10s)), sent));
  std::string got;
  std::vector<char> buffer(10'000);
  while (got.size() < frame.size().count) {
    auto count = co_await ends.peer->read_some(buffer, Deadline::in(10s));
    if (!count || *count == 0) break;
    got.append(buffer.data(), *count);
  }
  (void)co_await group.empty();
  EXPECT_TRUE(sent && sent->has_value());
  co_return got;
}

TEST(Channel, SendsAFrameThatIsLargerThanTheSocket) {
  Loop loop;
  Ends ends{loop};
  std::string body(2'000'001, 'q');
  Event event{.id = "big", .body = body};
  Encoded frame;
  ASSERT_TRUE(encode(event, frame));
  std::string got = run_until_done(loop, send_and_read(loop, ends, frame));
  auto view = FrameView::decode(got);
  ASSERT_TRUE(view) << view.error().what;
  EXPECT_TRUE(view->body() == body);
}

TEST(Channel, AfterHalfAFrameNothingMoreIsSent) {
  Loop loop;
  Ends ends{loop};
  std::string body(2'000'001, 'q');
  Event event{.body = body};
  Encoded frame;
  ASSERT_TRUE(encode(event, frame));
  auto late = run_until_done(loop, send(*ends.channel, frame, Deadline::in(1ms)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().why, Why::timeout);
  auto after = run_until_done(loop, send(*ends.channel, frame, Deadline::in(10s)));
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().why, Why::unavailable);
}

TEST(Channel, SaysThatTheWorkerIsGone) {
  ignore_broken_pipes();
  Loop loop;
  Ends ends{loop};
  ends.peer.reset();
  Encoded frame;
  encode_cancel(CallId{1}, frame);
  auto sent = run_until_done(loop, send(*ends.channel, frame, Deadline::in(10s)));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().why, Why::unavailable);
}

}  // namespace
}  // namespace nuclio::wire
