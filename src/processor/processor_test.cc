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

class EndlessBody final : public http::BodySource {
 public:
  Task<Result<std::optional<std::string>>> next() override { co_return std::string{"more"}; }
};

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
  Task<Result<Lease>> only_worker() { co_return co_await pool.acquire(Deadline::never(), source.allocations); }
  const TriggerCounts& counts() { return *metrics.counts("web"); }

  Loop loop;
  FakeFactory factory{loop};
  WorkerPool pool{loop, factory, {.trigger_kind = "http", .trigger_name = "web", .workers = 1}};
  Source source{"http", "web", pool, 20ms};
  Metrics metrics{{}};
  Processor processor{metrics, 3s};
  Event event;
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
  auto held = run_until_done(loop, only_worker());
  auto response = handle();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::busy);
  EXPECT_EQ(counts().failed, 1u);
}

TEST_F(ProcessorTest, TimesOutWhenTheEventsDeadlineComesWhileItWaits) {
  auto held = run_until_done(loop, only_worker());
  auto response = handle({.deadline = Deadline::in(5ms)});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::timeout);
}

TEST_F(ProcessorTest, PassesTheWorkersEndOnAndGoesOnWithItsReplacement) {
  factory.worker(0).answer = [&](const Event&) -> Result<Response> {
    factory.worker(0).die();
    return fail(Why::unavailable, "worker 0 exited with code 3 while it handled an event");
  };
  auto response = handle();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::unavailable);
  EXPECT_EQ(counts().failed, 1u);
  EXPECT_TRUE(handle());
  EXPECT_EQ(pool.restarts(), 1u);
}

TEST_F(ProcessorTest, KeepsTheWorkerForAStreamUntilThatIsDropped) {
  factory.worker(0).answer = [](const Event&) -> Result<Response> {
    Response response;
    response.more = std::make_unique<EndlessBody>();
    return response;
  };
  auto response = handle();
  ASSERT_TRUE(response && response->more);
  EXPECT_EQ(**run_until_done(loop, response->more->next()), "more");
  EXPECT_EQ(pool.idle(), 0u);
  response->more.reset();
  EXPECT_EQ(pool.idle(), 1u);
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
  auto held = run_until_done(loop, only_worker());
  std::vector<Event> events(3);
  EXPECT_FALSE(run_until_done(loop, processor.handle_batch(source, events, Call{})));
  EXPECT_EQ(counts().failed, 3u);
}

TEST_F(ProcessorTest, CountsTheEventTimeoutFromNow) {
  EXPECT_LE(processor.event_deadline().left(), 3s);
  EXPECT_GT(processor.event_deadline().left(), 2s);
  EXPECT_TRUE(Processor(metrics, 0s).event_deadline().is_never());
}

}  // namespace
}  // namespace nuclio::processor
