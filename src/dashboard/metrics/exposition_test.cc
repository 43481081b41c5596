// SPDX-License-Identifier: Apache-2.0
#include "dashboard/metrics/exposition.h"

#include <gtest/gtest.h>

namespace nuclio::dashboard {
namespace {

constexpr std::string_view kText = R"(# HELP nuclio_processor_handled_events_total Events.
# TYPE nuclio_processor_handled_events_total counter
nuclio_processor_handled_events_total{instance="a\"}b",trigger_id="x",result="success"} 40
nuclio_processor_handled_events_total{instance="a\"}b",trigger_id="x",result="failure"} 2
nuclio_processor_handled_events_total{instance="a\"}b",trigger_id="y",result="success"} 1
nuclio_processor_handled_events_duration_seconds_count{trigger_id="x"} 42
nuclio_processor_handled_events_duration_seconds_sum{trigger_id="x"} 0.5
nuclio_processor_handled_events_duration_seconds_bucket{trigger_id="x",le="0.0001"} 0
nuclio_processor_handled_events_duration_seconds_bucket{trigger_id="x",le="0.001"} 30
nuclio_processor_handled_events_duration_seconds_bucket{trigger_id="x",le="60"} 40
nuclio_processor_handled_events_duration_seconds_bucket{trigger_id="x",le="+Inf"} 42
nuclio_processor_handled_events_duration_seconds_bucket{trigger_id="y",le="0.0001"} 0
nuclio_processor_handled_events_duration_seconds_bucket{trigger_id="y",le="0.001"} 1
nuclio_processor_handled_events_duration_seconds_bucket{trigger_id="y",le="60"} 1
nuclio_processor_handled_events_duration_seconds_bucket{trigger_id="y",le="+Inf"} 1
nuclio_processor_events_in_flight{trigger_id="x"} 3
nuclio_processor_worker_queue_wait_seconds_count{trigger_id="x"} 42
nuclio_processor_worker_queue_wait_seconds_sum{trigger_id="x"} 1.5e-05
nuclio_processor_workers{trigger_id="x"} 4
nuclio_processor_workers_idle{trigger_id="x"} 1
nuclio_processor_worker_pending_allocation_current{trigger_id="x"} 6
nuclio_processor_memory_bytes{function="f"} 50331648
nuclio_processor_something_new{le=broken 1
)";

TEST(ReadExposition, AddsUpTheTriggers) {
  const Point point = read_exposition(kText).all;
  EXPECT_TRUE(point.known);
  EXPECT_EQ(point.succeeded, 41u);
  EXPECT_EQ(point.failed, 2u);
  EXPECT_EQ(point.handling[3], 31u);
  EXPECT_EQ(point.handling[17], 10u);
  EXPECT_EQ(point.handling[18], 2u);
  EXPECT_EQ(point.in_flight, 3u);
  EXPECT_EQ(point.waits, 42u);
  EXPECT_EQ(point.wait_microseconds, 15u);
  EXPECT_EQ(point.workers, 4u);
  EXPECT_EQ(point.memory_bytes, 48u << 20);
  EXPECT_EQ(point.replicas, 1u);
}

TEST(ReadExposition, KeepsTheTriggersApart) {
  const TriggerPoints triggers = read_exposition(kText).triggers;
  ASSERT_EQ(triggers.size(), 2u);
  const TriggerPoint x{.succeeded = 40, .failed = 2, .in_flight = 3, .workers = 4, .idle = 1, .waiting = 6};
  EXPECT_EQ(triggers.at("x"), x);
  EXPECT_EQ(triggers.at("y"), TriggerPoint{.succeeded = 1});
}

TEST(ReadExposition, TellsOfAsManyTriggersAsThereMayBe) {
  std::string text;
  for (std::size_t i = 0; i < 2 * kMostTriggers; ++i)
    text += "nuclio_processor_handled_events_total{trigger_id=\"t" + std::to_string(i) + "\",result=\"success\"} 1\n";
  const Counted counted = read_exposition(text);
  EXPECT_EQ(counted.triggers.size(), kMostTriggers);
  EXPECT_EQ(counted.all.succeeded, 2 * kMostTriggers);
}

TEST(ReadExposition, KnowsNothingFromWhatIsNone) {
  EXPECT_FALSE(read_exposition("").all.known);
  EXPECT_FALSE(read_exposition("<html>nuclio_processor_handled_events_total</html>\n").all.known);
  for (std::size_t cut = 0; cut < kText.size(); ++cut) (void)read_exposition(kText.substr(0, cut));
}

TEST(Since, IsWhatHasHappenedInBetween) {
  const Point before = read_exposition(kText).all;
  Point now = before;
  now.succeeded += 5;
  now.handling[3] += 5;
  now.in_flight = 1;
  const Point between = since(before, now);
  EXPECT_EQ(between.succeeded, 5u);
  EXPECT_EQ(between.failed, 0u);
  EXPECT_EQ(between.handling[3], 5u);
  EXPECT_EQ(between.in_flight, 1u);
  EXPECT_EQ(between.workers, 4u);
  EXPECT_EQ(between.memory_bytes, 48u << 20);
  Point anew;
  anew.known = true;
  anew.succeeded = 3;
  EXPECT_EQ(since(before, anew).succeeded, 3u);
}

TEST(Since, IsWhatHasHappenedToEachTriggerInBetween) {
  const Counted before = read_exposition(kText);
  Counted now = before;
  now.triggers["x"].failed += 3;
  now.triggers["x"].waiting = 0;
  now.triggers["y"].succeeded = 0;
  now.triggers["z"].succeeded = 9;
  const TriggerPoints between = since(before, now).triggers;
  EXPECT_EQ(between.at("x"), (TriggerPoint{.failed = 3, .in_flight = 3, .workers = 4, .idle = 1}));
  EXPECT_EQ(between.at("y"), TriggerPoint{});
  EXPECT_EQ(between.at("z"), TriggerPoint{.succeeded = 9});
}

}  // namespace
}  // namespace nuclio::dashboard
