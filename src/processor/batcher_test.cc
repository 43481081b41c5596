// SPDX-License-Identifier: Apache-2.0
#include "processor/batcher.h"

#include <gtest/gtest.h>

#include <map>

#include "loop/run.h"
#include "processor/fake_handler.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

spec::Batch batches_of(int size, std::chrono::nanoseconds timeout) {
  spec::Batch config;
  config.mode = spec::BatchMode::enable;
  config.batch_size = size;
  config.timeout = timeout;
  return config;
}

class BatcherTest : public testing::Test {
 protected:
  BatcherTest() {
    handler_.answer = [](const Event& event) -> Result<Response> {
      Response response;
      response.body = "re: " + std::string{event.body};
      return response;
    };
  }

  // Sends an event with this id, and body, in the background; its answer goes to answers_.
  void send(Group& group, Batcher& batcher, std::string id, Call call = {}) {
    group.spawn(one(batcher, std::move(id), call));
  }
  Task<void> one(Batcher& batcher, std::string id, Call call) {
    Event event;
    event.id = id;
    event.body = id;
    auto answer = co_await batcher.handle(event, call);
    answers_[id] = answer ? answer->body : "error: " + answer.error().what;
  }
  static Task<bool> all(Group& group) { co_return co_await group.empty(Deadline::in(10s)); }
  void finish(Group& group) { ASSERT_TRUE(run_until_done(loop_, all(group))); }

  using Answers = std::map<std::string, std::string>;
  Loop loop_;
  FakeSource source_{loop_, "http", "web"};
  FakeHandler handler_{loop_};
  Answers answers_;
};

TEST_F(BatcherTest, SendsAFullBatchAtOnce) {
  Batcher batcher{loop_, handler_, source_.get(), batches_of(3, 1h)};
  Group group{loop_};
  for (const char* id : {"a", "b", "c"}) send(group, batcher, id);
  finish(group);
  EXPECT_EQ(handler_.batches, std::vector<std::size_t>{3});
  EXPECT_EQ(answers_, (Answers{{"a", "re: a"}, {"b", "re: b"}, {"c", "re: c"}}));
}

TEST_F(BatcherTest, SendsTheRestWhenItsFirstEventHasWaitedLongEnough) {
  Batcher batcher{loop_, handler_, source_.get(), batches_of(4, 20ms)};
  Group group{loop_};
  auto began = std::chrono::steady_clock::now();
  for (const char* id : {"a", "b", "c", "d", "e"}) send(group, batcher, id);
  EXPECT_EQ(handler_.batches, std::vector<std::size_t>{4});
  finish(group);
  EXPECT_EQ(handler_.batches, (std::vector<std::size_t>{4, 1}));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 20ms);
}

TEST_F(BatcherTest, LetsBatchesRunSideBySide) {
  handler_.close();
  Batcher batcher{loop_, handler_, source_.get(), batches_of(1, 1h)};
  Group group{loop_};
  send(group, batcher, "a");
  send(group, batcher, "b");
  EXPECT_EQ(handler_.batches, (std::vector<std::size_t>{1, 1}));
  handler_.open();
  finish(group);
  EXPECT_EQ(answers_.size(), 2u);
}

TEST_F(BatcherTest, FailsEachEventOfABatchThatFailsAndGoesOn) {
  handler_.change_batch = [](auto) -> Result<std::vector<Result<Response>>> {
    return fail(Why::unavailable, "the worker died");
  };
  Batcher batcher{loop_, handler_, source_.get(), batches_of(2, 1h)};
  Group group{loop_};
  send(group, batcher, "a");
  send(group, batcher, "b");
  finish(group);
  EXPECT_EQ(answers_, (Answers{{"a", "error: the worker died"}, {"b", "error: the worker died"}}));

  handler_.change_batch = [](auto responses) { return responses; };
  send(group, batcher, "c");
  send(group, batcher, "d");
  finish(group);
  EXPECT_EQ(answers_["c"], "re: c");
  EXPECT_EQ(answers_["d"], "re: d");
}

TEST_F(BatcherTest, FailsTheEventsThatTheHandlerLeftOut) {
  handler_.change_batch = [](std::vector<Result<Response>> responses) {
    responses[0] = fail(Why::internal, "no answer");
    responses.pop_back();
    return responses;
  };
  Batcher batcher{loop_, handler_, source_.get(), batches_of(3, 1h)};
  Group group{loop_};
  for (const char* id : {"a", "b", "c"}) send(group, batcher, id);
  finish(group);
  EXPECT_EQ(answers_, (Answers{{"a", "error: no answer"},
                               {"b", "re: b"},
                               {"c", "error: the handler gave no answer to this event of a batch"}}));
}

TEST_F(BatcherTest, KeepsEventsWithTheSameIdApart) {
  Batcher batcher{loop_, handler_, source_.get(), batches_of(3, 1h)};
  Group group{loop_};
  for (const char* id : {"a", "a", "b"}) send(group, batcher, id);
  EXPECT_EQ(handler_.batches, std::vector<std::size_t>{1});
  batcher.hurry();
  finish(group);
  EXPECT_EQ(handler_.batches, (std::vector<std::size_t>{1, 2}));
}

TEST_F(BatcherTest, MakesNoBatchThatIsLargerThanAFrame) {
  Batcher batcher{loop_, handler_, source_.get(), batches_of(10, 1h)};
  Group group{loop_};
  std::string large(30 << 20, 'x');
  send(group, batcher, "a");
  send(group, batcher, large + "1");
  send(group, batcher, large + "2");
  EXPECT_EQ(handler_.batches, std::vector<std::size_t>{2});
  batcher.hurry();
  finish(group);
}

TEST_F(BatcherTest, WaitsForNothingOnceItIsToHurry) {
  Batcher batcher{loop_, handler_, source_.get(), batches_of(10, 1h)};
  Group group{loop_};
  send(group, batcher, "a");
  batcher.hurry();
  send(group, batcher, "b");
  finish(group);
  EXPECT_EQ(handler_.batches, (std::vector<std::size_t>{1, 1}));
}

TEST_F(BatcherTest, HandsOnTheEarliestDeadlineAndTheLowestLogLevel) {
  Batcher batcher{loop_, handler_, source_.get(), batches_of(3, 1h)};
  Group group{loop_};
  Deadline early = Deadline::in(5s);
  send(group, batcher, "a", {.deadline = Deadline::in(10s), .ship_logs = log::Level::warn});
  send(group, batcher, "b", {.deadline = early, .ship_logs = log::Level::info});
  send(group, batcher, "c");
  finish(group);
  ASSERT_EQ(handler_.calls.size(), 1u);
  EXPECT_EQ(handler_.calls[0].deadline, early);
  EXPECT_EQ(handler_.calls[0].ship_logs, log::Level::info);
}

TEST_F(BatcherTest, GivesUpABatchWhoseEventIsCancelled) {
  handler_.close();
  Batcher batcher{loop_, handler_, source_.get(), batches_of(2, 1h)};
  Group stays{loop_};
  send(stays, batcher, "a");
  {
    Group goes{loop_};
    send(goes, batcher, "b");
    EXPECT_EQ(handler_.batches, std::vector<std::size_t>{2});
  }
  EXPECT_EQ(handler_.given_up, 1);
  finish(stays);
  EXPECT_EQ(answers_, (Answers{{"a", "error: the batch of this event was given up"}}));
}

TEST_F(BatcherTest, ForgetsAnEventThatIsCancelledBeforeItsBatchGoes) {
  Batcher batcher{loop_, handler_, source_.get(), batches_of(2, 1h)};
  {
    Group goes{loop_};
    send(goes, batcher, "b");
  }
  Group stays{loop_};
  send(stays, batcher, "a");
  EXPECT_TRUE(handler_.batches.empty());
  send(stays, batcher, "c");
  finish(stays);
  EXPECT_EQ(answers_, (Answers{{"a", "re: a"}, {"c", "re: c"}}));
}

}  // namespace
}  // namespace nuclio::processor
