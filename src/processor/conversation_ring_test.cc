// SPDX-License-Identifier: Apache-2.0
// What a conversation can do over a ring alone: several jobs at a worker, of which those not begun can be had back.
#include <gtest/gtest.h>

#include <deque>

#include "processor/conversation.h"
#include "processor/test_owner.h"
#include "wire/test_worker.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

class ConversationRingTest : public testing::Test, public Conversation::Owner {
 protected:
  ConversationRingTest() : talk(loop, std::move(ends.port), {WorkerIndex{3}, "http", "web"}, function_log, *this) {
    log::configure({.level = log::Level::error, .descriptor = -1});
    ends.attach();
    std::int64_t pid = 1;
    CHECK(ends.publish(wire::bytes_of({.type = NUCLIO_WIRE_START, .number = &pid, .numbers = 1}, "")));
    CHECK(run_until_done(loop, talk.started(Deadline::in(10s))));
  }
  ~ConversationRingTest() override {
    if (!talk.ended()) talk.end("is not needed any more");
    log::configure({});
  }
  void changed() override {}
  void returned(Job& job) override { back.push_back(&job); }
  void fell_silent(std::string what) override { fault = what; }
  void to_settle(std::chrono::nanoseconds) override {}

  Job& give() {
    Job& job = jobs.emplace_back(loop, event, call, Deadline::never());
    CHECK(talk.take(job));
    return job;
  }
  // The worker answers its next event, which took its handler so long.
  void answer(std::chrono::nanoseconds duration, std::string_view body = "") {
    std::uint64_t id = ends.take_call();
    std::int64_t numbers[] = {200, duration.count()};
    ASSERT_TRUE(ends.publish(wire::bytes_of(
        {.type = NUCLIO_WIRE_REPLY, .call = id, .number = numbers, .numbers = 2, .body_length = body.size()}, body)));
  }
  void until_answered(Job& job) {
    ASSERT_TRUE(wire::run_until(loop, [&] { return job.answered(); }));
  }
  void make_quick() {
    for (int i = 0; i < 60; ++i) {
      Job& job = give();
      answer(5us);
      until_answered(job);
    }
  }

  Loop loop;
  FunctionLog function_log{"hello", log::Level::debug};
  wire::RingEnds ends{loop};
  Event event;
  Call call;
  std::deque<Job> jobs;
  std::vector<Job*> back;
  std::optional<std::string> fault;
  Conversation talk;
};

TEST_F(ConversationRingTest, TakesOneEventUntilItsHandlerIsKnownToBeQuick) {
  EXPECT_EQ(talk.room(), 1);
  make_quick();
  EXPECT_EQ(talk.room(), 32);
  (void)give();
  EXPECT_EQ(talk.room(), 31);
}

TEST_F(ConversationRingTest, TakesOneEventWhenItsHandlerIsSlow) {
  make_quick();
  Job& job = give();
  answer(50ms);
  until_answered(job);
  EXPECT_EQ(talk.room(), 1);
}

TEST_F(ConversationRingTest, AnswersInOrderWhatItHasTaken) {
  make_quick();
  Job& first = give();
  Job& second = give();
  answer(5us, "one");
  answer(5us, "two");
  until_answered(second);
  EXPECT_EQ(first.response()->body, "one");
  EXPECT_EQ(second.response()->body, "two");
  EXPECT_EQ(talk.jobs(), 0);
}

TEST_F(ConversationRingTest, GivesBackOnlyWhatTheWorkerHasNotBegun) {
  make_quick();
  Job& begun = give();
  Job& waiting = give();
  ASSERT_GT(ends.take_call(), 0u);
  EXPECT_FALSE(talk.take_back(begun));
  EXPECT_TRUE(talk.take_back(waiting));
  EXPECT_EQ(talk.jobs(), 1);
  EXPECT_EQ(ends.take_call(), 0u);
}

TEST_F(ConversationRingTest, GivesBackAllThatWaitsTheLastFirstAndCountsAsSlow) {
  make_quick();
  (void)give();
  Job& second = give();
  Job& third = give();
  ASSERT_GT(ends.take_call(), 0u);
  talk.return_waiting();
  EXPECT_EQ(back, (std::vector{&third, &second}));
  EXPECT_EQ(talk.room(), 0);
  EXPECT_EQ(talk.jobs(), 1);
}

TEST_F(ConversationRingTest, GivesBackWhatWaitsWhenAnEventIsGivenUp) {
  make_quick();
  Job& late = give();
  Job& waiting = give();
  ASSERT_GT(ends.take_call(), 0u);
  talk.give_up(late, GiveUp::late);
  EXPECT_EQ(back, std::vector{&waiting});
  EXPECT_FALSE(talk.usable());
}

TEST_F(ConversationRingTest, FailsAtTheWorkersEndOnlyWhatWasBegun) {
  make_quick();
  Job& begun = give();
  Job& waiting = give();
  ASSERT_GT(ends.take_call(), 0u);
  ends.socket.reset();
  ASSERT_TRUE(wire::run_until(loop, [&] { return fault.has_value(); }));
  EXPECT_EQ(*fault, "");
  talk.end("was killed by signal 9 (Killed)");
  ASSERT_TRUE(begun.answered());
  EXPECT_EQ(begun.response().error().what, "worker 3 was killed by signal 9 (Killed) while it handled an event");
  EXPECT_FALSE(waiting.answered());
  EXPECT_EQ(back, std::vector{&waiting});
}

TEST_F(ConversationRingTest, LendsALargeAnswerAndCopiesASmallOne) {
  Job& small = give();
  answer(5us, "small");
  until_answered(small);
  auto& first = small.response();
  EXPECT_FALSE(first->lent);
  EXPECT_EQ(first->body, "small");
  Job& large = give();
  std::string body(100'000, 'l');
  answer(5us, body);
  until_answered(large);
  auto& second = large.response();
  ASSERT_TRUE(second->lent);
  EXPECT_EQ(second->lent->bytes, body);
  EXPECT_EQ(second->body, "");
  talk.end("is not needed any more");
  EXPECT_EQ(second->lent->bytes, body) << "it outlives its worker";
}

TEST_F(ConversationRingTest, AWorkerThatAnswersWhatItHasNotTakenIsLeft) {
  Job& job = give();
  ASSERT_TRUE(ends.publish(wire::reply_bytes(job.call_id.value(), "")));
  ASSERT_TRUE(wire::run_until(loop, [&] { return fault.has_value(); }));
  EXPECT_EQ(*fault, "the worker answered a call that it had not taken");
  EXPECT_FALSE(job.answered());
}

}  // namespace
}  // namespace nuclio::processor
