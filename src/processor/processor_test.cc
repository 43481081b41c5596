// SPDX-License-Identifier: Apache-2.0
#include "processor/processor.h"

#include <gtest/gtest.h>

#include <optional>

#include "loop/run.h"
#include "processor/fake_workers.h"
#include "processor/metrics.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

class ProcessorTest : public testing::Test {
 protected:
  void SetUp() override {
    log::configure({.level = log::Level::error, .descriptor = -1});
    ASSERT_TRUE(run_until_done(loop, pool.start()));
    metrics.add(source);
  }
  void TearDown() override { log::configure({}); }
  Result<Response> handle(Call call = {}) {
    event.body = "hello";
    return run_until_done(loop, processor.handle(source, event, call));
  }
  // Gives the only worker an event that it keeps.
  void occupy() {
    factory.worker(0).hold = true;
    occupied.spawn(keep_busy());
  }
  Task<void> keep_busy() { co_await pool.run(busy, source.allocations); }
  TriggerCounts counts() { return metrics.report().front().counts; }

  Loop loop;
  FakeFactory factory{loop};
  WorkerPool pool{loop, factory, {.trigger_kind = "http", .trigger_name = "web", .workers = 1}};
  Source source{"http", "web", pool, 20ms};
  Metrics metrics;
  Processor processor{loop, metrics, 3s};
  Event event;
  Call forever;
  Job busy{loop, event, forever, Deadline::never()};
  Group occupied{loop};
};

TEST_F(ProcessorTest, GivesTheWorkersAnswerAndTheWorkerBack) {
  auto response = handle();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(pool.idle(), 1u);
  EXPECT_EQ(counts().succeeded, 1u);
  EXPECT_EQ(counts().in_flight, 0);
}

TEST_F(ProcessorTest, IsBusyWhenNoWorkerComesFreeInTime) {
  occupy();
  auto response = handle();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::busy);
  EXPECT_EQ(counts().failed, 1u);
}

TEST_F(ProcessorTest, TimesOutWhenTheEventsDeadlineComesWhileItWaits) {
  occupy();
  auto response = handle({.deadline = Deadline::in(5ms)});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::timeout);
}

TEST_F(ProcessorTest, PassesTheWorkersEndOnAndGoesOnWithItsReplacement) {
  factory.worker(0).hold = true;
  loop.post([&] { factory.worker(0).die(); });
  auto response = handle();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::unavailable);
  EXPECT_EQ(counts().failed, 1u);
  EXPECT_TRUE(handle());
  EXPECT_EQ(pool.restarts(), 1u);
}

TEST_F(ProcessorTest, CountsEachEventOfABatch) {
  std::vector<Event> events(3);
  auto responses = run_until_done(loop, processor.handle_batch(source, events, Call{}));
  ASSERT_TRUE(responses);
  EXPECT_EQ(responses->size(), 3u);
  EXPECT_EQ(counts().succeeded, 3u);
  EXPECT_EQ(source.allocations.immediate, 1u);
}

TEST_F(ProcessorTest, CountsEachEventOfABatchThatGotNoWorker) {
  occupy();
  std::vector<Event> events(3);
  EXPECT_FALSE(run_until_done(loop, processor.handle_batch(source, events, Call{})));
  EXPECT_EQ(counts().failed, 3u);
}

TEST_F(ProcessorTest, CountsTheEventTimeoutFromNow) {
  EXPECT_LE(processor.event_deadline().left(), 3s);
  EXPECT_GT(processor.event_deadline().left(), 2s);
  EXPECT_TRUE(Processor(loop, metrics, 0s).event_deadline().is_never());
}

}  // namespace
}  // namespace nuclio::processor
