// SPDX-License-Identifier: Apache-2.0
#include "dashboard/metrics/history.h"

#include <gmock/gmock.h>

namespace nuclio::dashboard {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using ::testing::ElementsAre;

platform::FunctionId id(const std::string& name) { return {Namespace{"nuclio"}, FunctionName{name}}; }

Point point(std::uint64_t events) {
  Point out;
  out.known = true;
  out.succeeded = events;
  out.handling[4] = events;
  out.replicas = 1;
  return out;
}

std::chrono::sys_seconds at(Step fine) { return std::chrono::sys_seconds{kFineStep * fine}; }

std::vector<std::int64_t> events(const MetricsHistory::Window& window) {
  std::vector<std::int64_t> out;
  for (const Point& each : window.points) out.push_back(each.known ? static_cast<std::int64_t>(each.succeeded) : -1);
  return out;
}

TEST(MetricsHistory, TellsTheLastMinutesStepByStep) {
  MetricsHistory history;
  for (Step step = 3000; step < 3006; ++step)
    history.add(id("f"), step, point(static_cast<std::uint64_t>(step - 3000)));
  auto window = history.window(id("f"), at(3006), 80s, 10s);
  EXPECT_EQ(window.begin, at(2998));
  EXPECT_EQ(window.step, 10s);
  EXPECT_THAT(events(window), ElementsAre(-1, -1, 0, 1, 2, 3, 4, 5));
  // Asked for in between, it is the same: a step that goes on is not told.
  EXPECT_THAT(events(history.window(id("f"), at(3006) + 9s, 30s, 1s)), ElementsAre(3, 4, 5));
  window = history.window(id("f"), at(3006), 1min, 25s);
  EXPECT_EQ(window.step, 30s);
  EXPECT_THAT(events(window), ElementsAre(0 + 1 + 2, 3 + 4 + 5));
  EXPECT_THAT(events(history.window(id("other"), at(3006), 30s, 10s)), ElementsAre(-1, -1, -1));
}

TEST(MetricsHistory, TellsADayInLargerSteps) {
  MetricsHistory history;
  const Step begin = 30'000;
  for (Step step = 0; step < 2 * 8640; ++step) history.add(id("f"), begin + step, point(1));
  const auto window = history.window(id("f"), at(begin + 2 * 8640) - 1s, 24h, 300s);
  EXPECT_EQ(window.step, 300s);
  ASSERT_EQ(window.points.size(), 288u);
  for (const Point& each : window.points) EXPECT_EQ(each.succeeded, 30u);
  // The one that goes on is told as far as it is.
  history.add(id("f"), begin + 2 * 8640, point(7));
  EXPECT_EQ(history.window(id("f"), at(begin + 2 * 8640 + 1), 24h, 300s).points.back().succeeded, 7u);
  EXPECT_EQ(history.window(id("f"), at(begin + 2 * 8640) - 1s, 24h, 1h).points.size(), 24u);
}

TEST(MetricsHistory, OfAThousandFunctionsFitsIntoLittleMemory) {
  MetricsHistory idle;
  for (int i = 0; i < 1000; ++i)
    for (Step step = 0; step < 8640; step += 1) {
      if (step > 400 && step < 8600) continue;
      Point quiet = point(0);
      quiet.memory_bytes = (40u << 20) + static_cast<std::uint64_t>(step % 10) * (50u << 10);
      idle.add(id("f" + std::to_string(i)), step, quiet);
    }
  EXPECT_LE(idle.bytes(), 1u << 20);
  MetricsHistory busy;
  Point much = point(12'345);
  for (std::size_t bucket = 1; bucket < 8; ++bucket) much.handling[bucket] = 1000 * bucket;
  much.waits = 50'000;
  much.wait_microseconds = 1'000'000;
  for (int i = 0; i < 10; ++i)
    for (Step step = 0; step < 8640; ++step) {
      much.memory_bytes = (300u << 20) + static_cast<std::uint64_t>(step % 7) * (30u << 20);
      busy.add(id("f" + std::to_string(i)), step, much);
    }
  EXPECT_LE(busy.bytes(), std::size_t{10} * (28u << 10)) << "1000 busy ones would take 28 MiB";
}

TEST(MetricsHistory, ComesBackFromAFile) {
  MetricsHistory history;
  for (Step step = 100; step < 900; ++step) history.add(id("f"), step, point(static_cast<std::uint64_t>(step)));
  Point large = point(2);
  large.memory_bytes = 3ull << 30;
  history.add(id("f"), 900, large);
  history.add(id("g"), 5, point(1));
  const std::string text = history.write();
  MetricsHistory again;
  ASSERT_TRUE(again.read(text));
  EXPECT_EQ(again.window(id("f"), at(901), 1h, 10s).points, history.window(id("f"), at(901), 1h, 10s).points);
  EXPECT_EQ(again.window(id("f"), at(901), 24h, 300s).points, history.window(id("f"), at(901), 24h, 300s).points);
  EXPECT_TRUE(again.knows(id("g")));
  EXPECT_FALSE(again.read("something else"));
  EXPECT_FALSE(again.read("nuclio metrics 3\n"));
  for (std::size_t cut = 1; cut < 9; ++cut)
    EXPECT_FALSE(again.read(std::string_view(text).substr(0, text.size() - cut)));
  EXPECT_TRUE(again.knows(id("g")));
}

TEST(MetricsHistory, ComesBackFromAFileOfBeforeThereWasMemory) {
  const std::string series =
      "\xb9\x17\xb9\x17\xb9\x17"  // the first step, the last and the last with a record: 3000
      "\1\0\0\1"                  // known, with one replica
      "\1\x53\0\0\0\0"            // a piece, the 83rd, and what was before
      "\13\14\7\0\0\1\5\0\0\0\20\5"s;
  MetricsHistory history;
  ASSERT_TRUE(history.read("nuclio metrics 1\n6 nuclio1 f" + series + "\0\0\0\0\0\0\0\0"s));
  EXPECT_THAT(history.window(id("f"), at(3001), 20s, 10s).points, ElementsAre(Point{}, point(5)));
}

}  // namespace
}  // namespace nuclio::dashboard
