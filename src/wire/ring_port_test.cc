// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "wire/test_worker.h"

namespace nuclio::wire {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct RingPortTest : testing::Test {
  RingPortTest() : channel(dup(ends.descriptors.channel.get())) {
    ends.attach();
    ends.port->listen(heard);
  }
  Result<void> post(std::uint64_t call, std::string_view body = "", std::string_view id = "e") {
    Event event{.call = CallId{call}, .id = id, .body = body};
    return ends.port->post(event);
  }
  void rounds(int count = 4) { run_until_done(loop, some_rounds(loop, count)); }

  Loop loop;
  RingEnds ends{loop};
  Descriptor channel;
  Port& port = *ends.port;
  Heard heard;
};

TEST_F(RingPortTest, CarriesAnEventToTheWorkerAndItsReplyBack) {
  ASSERT_TRUE(post(7, "body", "id-7"));
  EXPECT_TRUE(port.sent(CallId{7}));
  EXPECT_FALSE(port.begun(CallId{7}));
  auto frame = ends.take();
  ASSERT_TRUE(frame);
  EXPECT_TRUE(port.begun(CallId{7}));
  EXPECT_EQ(frame->call, 7u);
  EXPECT_EQ(body_of(*frame), "body");
  nuclio_wire_text id = nuclio_wire_string(&*frame, NUCLIO_WIRE_EVENT_ID);
  EXPECT_EQ(std::string_view(id.data, id.length), "id-7");
  ASSERT_TRUE(ends.publish(reply_bytes(7, "answer")));
  ASSERT_TRUE(run_until(loop, [&] { return !heard.calls.empty(); }));
  EXPECT_THAT(heard.calls, ElementsAre(7u));
  EXPECT_THAT(heard.bodies, ElementsAre("answer"));
  EXPECT_EQ(ends.arena->in_use(), 0u);
}

TEST_F(RingPortTest, KeepsABodyThatIsInTheArenaUntilTheLastWord) {
  char* body = ends.arena->allocate(5000);
  std::memset(body, 'b', 5000);
  ASSERT_TRUE(post(1, {body, 5000}));
  ends.arena->release(body);
  EXPECT_EQ(ends.arena->in_use(), 2u);
  auto frame = ends.take();
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->flags & NUCLIO_WIRE_SHARED);
  EXPECT_EQ(body_of(*frame), std::string(5000, 'b'));
  ASSERT_TRUE(ends.publish(reply_bytes(1, "first", NUCLIO_WIRE_MORE)));
  ASSERT_TRUE(ends.publish(chunk_bytes(1, "second", NUCLIO_WIRE_MORE)));
  ASSERT_TRUE(run_until(loop, [&] { return heard.calls.size() == 2; }));
  EXPECT_EQ(ends.arena->in_use(), 2u);
  ASSERT_TRUE(ends.publish(chunk_bytes(1, "last")));
  ASSERT_TRUE(run_until(loop, [&] { return heard.calls.size() == 3; }));
  EXPECT_EQ(ends.arena->in_use(), 0u);
}

TEST_F(RingPortTest, TakesBackWhatTheWorkerHasNotBegun) {
  for (std::uint64_t call : {1, 2, 3, 4}) ASSERT_TRUE(post(call));
  EXPECT_EQ(ends.take_call(), 1u);
  EXPECT_FALSE(port.revoke(CallId{1}));
  EXPECT_TRUE(port.revoke(CallId{3}));
  EXPECT_FALSE(port.revoke(CallId{3}));
  EXPECT_EQ(ends.take_call(), 2u);
  EXPECT_EQ(ends.take_call(), 4u);
  EXPECT_EQ(ends.take_call(), 0u);
  EXPECT_EQ(ends.arena->in_use(), 3u);
}

TEST_F(RingPortTest, AWorkerFindsItsWayThroughManyRevocations) {
  std::uint64_t call = 0;
  for (int round = 0; round < 1000; ++round) {
    ASSERT_TRUE(post(++call));
    ASSERT_TRUE(port.revoke(CallId{call}));
    if (round % 7 == 0) {
      EXPECT_EQ(ends.take_call(), 0u);
    }
    if (round % 130 == 0) {
      ASSERT_TRUE(post(++call));
      EXPECT_EQ(ends.take_call(), call);
    }
  }
}

TEST_F(RingPortTest, GivesAWorkerNoMoreThanItHasSlots) {
  std::uint64_t call = 0;
  while (post(call + 1)) ++call;
  EXPECT_EQ(call, 64u);
  auto refused = post(call + 1);
  EXPECT_EQ(refused.error().why, Why::busy);
  EXPECT_EQ(ends.take_call(), 1u);
  EXPECT_TRUE(post(call + 1));
}

TEST_F(RingPortTest, RefusesAnEventAboveTheLimit) {
  RingEnds small{loop, Bytes{4096}};
  std::string body(5000, 'x');
  Event event{.call = CallId{1}, .body = body};
  auto refused = small.port->post(event);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Why::too_large);
}

TEST_F(RingPortTest, CarriesABatchAndAControlMessage) {
  std::vector<Event> events{{.id = "a", .body = "1"}, {.id = "b", .body = "2"}};
  ASSERT_TRUE(port.post_batch(CallId{1}, 1s, events));
  ASSERT_TRUE(port.post_control(Control::drain, CallId{2}));
  auto batch = ends.take();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->type, NUCLIO_WIRE_BATCH);
  std::size_t position = 0;
  nuclio_wire_frame inner;
  ASSERT_TRUE(nuclio_wire_next(&*batch, &position, &inner));
  EXPECT_EQ(body_of(inner), "1");
  auto control = ends.take();
  ASSERT_TRUE(control);
  EXPECT_EQ(nuclio_wire_number(&*control, NUCLIO_WIRE_CONTROL_KIND, 0), NUCLIO_WIRE_DRAIN);
  ASSERT_TRUE(ends.publish(done_bytes(2)));
  std::string replies = reply_bytes(0, "x") + reply_bytes(0, "y");
  ASSERT_TRUE(ends.publish(reply_bytes(1, replies, NUCLIO_WIRE_NESTED)));
  ASSERT_TRUE(run_until(loop, [&] { return heard.calls.size() == 2; }));
  EXPECT_THAT(heard.calls, ElementsAre(2u, 1u));
  EXPECT_EQ(ends.arena->in_use(), 0u);
}

TEST_F(RingPortTest, LendsTheBodyOfALargeReplyUntilTheFrameGoes) {
  heard.keep = true;
  std::string body(3'000'000, 'r');
  ASSERT_TRUE(post(1));
  ends.take();
  ASSERT_TRUE(ends.publish(reply_bytes(1, body)));
  ASSERT_TRUE(run_until(loop, [&] { return !heard.frames.empty(); }));
  EXPECT_TRUE(heard.frames[0].lent());
  EXPECT_TRUE(heard.bodies[0] == body);
  EXPECT_GT(heard.frames[0]->size().count, body.size());
  // Its memory is in use: after one more of that size there is no room for a third.
  ASSERT_TRUE(ends.publish(reply_bytes(2, body)));
  EXPECT_FALSE(ends.publish(reply_bytes(3, body)));
  EXPECT_EQ(nuclio_ring_wait_room(ends.worker, body.size() + 64, 0), 1);
  heard.frames[0].detach();
  EXPECT_FALSE(heard.frames[0].lent());
  EXPECT_TRUE(heard.frames[0]->body() == body);
  EXPECT_EQ(nuclio_ring_wait_room(ends.worker, body.size() + 64, 0), 0);
  EXPECT_TRUE(ends.publish(reply_bytes(3, body)));
}

TEST_F(RingPortTest, AFrameOutlivesItsPort) {
  heard.keep = true;
  std::string body(100'000, 'r');
  ASSERT_TRUE(ends.publish(reply_bytes(1, body)));
  ASSERT_TRUE(run_until(loop, [&] { return !heard.frames.empty(); }));
  ends.port.reset();
  EXPECT_TRUE(heard.frames[0]->body() == body);
}

TEST_F(RingPortTest, SmallRepliesStayInFewPages) {
  std::uintptr_t most = 0;
  void* first = nuclio_ring_reserve(ends.worker, 256);
  for (std::uint64_t call = 1; call <= 1000; ++call) {
    void* room = nuclio_ring_reserve(ends.worker, 300);
    ASSERT_TRUE(room);
    most = std::max(most, reinterpret_cast<std::uintptr_t>(room) - reinterpret_cast<std::uintptr_t>(first));
    ASSERT_TRUE(ends.publish(reply_bytes(call, std::string(200, 'x'))));
    if (call % 3 == 0) {
      ASSERT_TRUE(run_until(loop, [&] { return heard.calls.size() == call; }));
    }
  }
  EXPECT_LE(most, 4096u);
}

std::string read_all(int socket, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size;) {
    ssize_t count = recv(socket, bytes.data() + at, size - at, MSG_DONTWAIT);
    if (count <= 0) return bytes.substr(0, at);
    at += static_cast<std::size_t>(count);
  }
  return bytes;
}

TEST_F(RingPortTest, WhatIsTooLargeForTheArenaGoesOverTheSocketInOrder) {
  std::string body(6'000'000, 'l');
  ASSERT_TRUE(post(1, "before"));
  ASSERT_TRUE(post(2, body));
  ASSERT_TRUE(post(3, "after"));
  EXPECT_FALSE(port.sent(CallId{2}));
  EXPECT_TRUE(port.begun(CallId{2}));
  EXPECT_FALSE(port.revoke(CallId{2}));
  EXPECT_EQ(ends.take_call(), 1u);
  const void* data = nullptr;
  std::uint32_t size = 0;
  ASSERT_EQ(nuclio_ring_take(ends.worker, &data, &size), NUCLIO_RING_SOCKET);
  std::string got;
  while (got.size() < size) {
    got += read_all(ends.socket.get(), size - got.size());
    rounds();
  }
  auto frame = FrameView::decode(got);
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->body() == body);
  EXPECT_TRUE(port.sent(CallId{2}));
  EXPECT_EQ(ends.take_call(), 3u);
}

TEST_F(RingPortTest, AReplyOverTheSocketKeepsItsPlaceAmongTheOthers) {
  std::string reply = reply_bytes(2, std::string(6'000'000, 'l'));
  ASSERT_TRUE(ends.publish(reply_bytes(1, "before")));
  ASSERT_EQ(nuclio_ring_announce(ends.worker, reply.size()), 0);
  ASSERT_TRUE(ends.publish(reply_bytes(3, "after")));
  for (std::size_t at = 0; at < reply.size();) {
    ssize_t count = send(ends.socket.get(), reply.data() + at, reply.size() - at, MSG_DONTWAIT);
    if (count > 0) at += static_cast<std::size_t>(count);
    rounds();
  }
  ASSERT_TRUE(run_until(loop, [&] { return heard.calls.size() == 3; }));
  EXPECT_THAT(heard.calls, ElementsAre(1u, 2u, 3u));
  EXPECT_EQ(heard.bodies[1].size(), 6'000'000u);
}

TEST_F(RingPortTest, GoesOnOverTheSocketWhenTheArenaIsFull) {
  std::vector<char*> blocks;
  for (std::size_t size : {EventArena::kLargest, EventArena::kSmallest})
    while (char* block = ends.arena->allocate(size)) blocks.push_back(block);
  ASSERT_TRUE(post(1, "small"));
  const void* data = nullptr;
  std::uint32_t size = 0;
  ASSERT_EQ(nuclio_ring_take(ends.worker, &data, &size), NUCLIO_RING_SOCKET);
  auto frame = FrameView::decode(read_all(ends.socket.get(), size));
  ASSERT_TRUE(frame);
  for (char* block : blocks) ends.arena->release(block);
}

TEST_F(RingPortTest, CancelIsAWordThatTheWorkerSees) {
  ASSERT_TRUE(post(5));
  EXPECT_EQ(ends.take_call(), 5u);
  EXPECT_EQ(nuclio_ring_wait(ends.worker, 0), 1);
  port.cancel(CallId{5});
  EXPECT_EQ(nuclio_ring_cancelled(ends.worker), 5u);
  EXPECT_EQ(nuclio_ring_wait(ends.worker, 0), 0);
  EXPECT_EQ(nuclio_ring_wait(ends.worker, 0), 1) << "a cancel is told once";
}

TEST_F(RingPortTest, WhatIsPausedWaitsAndIsNotLost) {
  port.pause();
  ASSERT_TRUE(ends.publish(reply_bytes(1, "a")));
  rounds(20);
  EXPECT_TRUE(heard.calls.empty());
  port.resume();
  ASSERT_TRUE(run_until(loop, [&] { return heard.calls.size() == 1; }));
}

TEST_F(RingPortTest, AnIdleWorkerThatSpeaksWakesTheLoop) {
  rounds(20);  // nothing is outstanding: it is parked
  ASSERT_TRUE(ends.publish(reply_bytes(0, "log")));
  ASSERT_TRUE(run_until(loop, [&] { return heard.calls.size() == 1; }));
}

TEST_F(RingPortTest, TheEndOfTheSocketIsTheEndOfTheWorkerAfterItsLastWords) {
  ASSERT_TRUE(post(1));
  ASSERT_TRUE(post(2));
  EXPECT_EQ(ends.take_call(), 1u);
  ASSERT_TRUE(ends.publish(reply_bytes(1, "last words")));
  ends.socket.reset();
  ASSERT_TRUE(run_until(loop, [&] { return heard.end.has_value(); }));
  EXPECT_EQ(*heard.end, "");
  EXPECT_THAT(heard.bodies, ElementsAre("last words"));
  EXPECT_TRUE(port.revoke(CallId{2})) << "it was never begun";
  auto refused = post(3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Why::unavailable);
}

TEST_F(RingPortTest, AWorkerIsToldThatThePortIsGone) {
  ASSERT_TRUE(post(1));
  ends.port.reset();
  const void* data = nullptr;
  std::uint32_t size = 0;
  EXPECT_EQ(nuclio_ring_take(ends.worker, &data, &size), NUCLIO_RING_CLOSED) << "nobody waits for call 1 any more";
  EXPECT_EQ(nuclio_ring_wait(ends.worker, -1), 0);
  EXPECT_EQ(nuclio_ring_wait_room(ends.worker, 100, -1), -1);
  EXPECT_EQ(errno, EPIPE);
  EXPECT_EQ(ends.arena->in_use(), 0u);
}

TEST_F(RingPortTest, AWatchedSocketTellsAWorkerThatTheProcessorIsGone) {
  ASSERT_EQ(nuclio_ring_watch(ends.worker, ends.socket.get()), 0);
  // As when it is killed: its end of the socket closes and nothing is written.
  ASSERT_EQ(shutdown(ends.socket.get(), SHUT_RDWR), 0);
  EXPECT_EQ(nuclio_ring_wait(ends.worker, -1), 0);
  const void* data = nullptr;
  std::uint32_t size = 0;
  EXPECT_EQ(nuclio_ring_take(ends.worker, &data, &size), NUCLIO_RING_CLOSED);
}

TEST_F(RingPortTest, OneWorkerThatAlwaysHasSomethingKeepsNobodyWaiting) {
  // As many as fit are there at every look.
  struct Endless final : Port::Listener {
    explicit Endless(RingEnds& ends) : ends(ends) {}
    void received(Frame) override {
      ++count;
      ends.publish(reply_bytes(0, "more"));
    }
    void ended(std::string) override {}
    RingEnds& ends;
    int count = 0;
  };
  Loop own;
  RingEnds endless{own};
  Endless listener{endless};
  endless.attach();
  endless.port->listen(listener);
  ASSERT_TRUE(endless.publish(reply_bytes(0, "first")));
  run_until_done(own, some_rounds(own, 100));  // returns only if others get their turn
  EXPECT_GT(listener.count, 100);
}

TEST_F(RingPortTest, PagesOfLargeRepliesGoBackWhenNobodyNeedsThem) {
  auto pages = [&] {
    struct stat status;
    EXPECT_EQ(fstat(channel.get(), &status), 0);
    return status.st_blocks * 512;
  };
  ASSERT_TRUE(ends.publish(reply_bytes(1, std::string(2'000'000, 'r'))));
  ASSERT_TRUE(run_until(loop, [&] { return heard.calls.size() == 1; }));
  EXPECT_GT(pages(), 2'000'000);
  // The worker sleeps, is asked, and sleeps on.
  ASSERT_TRUE(run_until(loop, [&] {
    nuclio_ring_wait(ends.worker, 0);
    return pages() < 200'000;
  }));
}

}  // namespace
}  // namespace nuclio::wire
