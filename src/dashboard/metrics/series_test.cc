// SPDX-License-Identifier: Apache-2.0
#include "dashboard/metrics/series.h"

#include <gmock/gmock.h>

#include <map>
#include <random>

namespace nuclio::dashboard {
namespace {

using ::testing::ElementsAre;

Point point(std::uint64_t events, std::uint64_t replicas = 1) {
  Point out;
  out.known = true;
  out.succeeded = events;
  out.waits = events;
  out.wait_microseconds = events * 30;
  out.handling[3] = events;
  out.workers = replicas * 2;
  out.replicas = replicas;
  return out;
}

std::vector<std::int64_t> events(const Series& series, Step from, Step to) {
  std::vector<std::int64_t> out;
  series.each(from, to, [&](Step, const Point& each) {
    out.push_back(each.known ? static_cast<std::int64_t>(each.succeeded) : -1);
  });
  return out;
}

TEST(Series, TellsWhatHappenedAtEachStepAndWhatIsNotKnown) {
  Series series{360, 36};
  EXPECT_TRUE(series.empty());
  EXPECT_THAT(events(series, 0, 2), ElementsAre(-1, -1));
  series.append(1000, point(5));
  series.append(1001, point(0));
  series.append(1002, point(0));
  series.append(1003, point(7));
  series.append(1003, point(9));  // it was said already
  series.append(1006, point(1));  // nobody asked in between
  EXPECT_THAT(events(series, 998, 1009), ElementsAre(-1, -1, 5, 0, 0, 7, -1, -1, 1, -1, -1));
  EXPECT_THAT(events(series, 1002, 1004), ElementsAre(0, 7));
  EXPECT_EQ(series.latest().replicas, 1u);
}

TEST(Series, CostsNothingWhileNothingHappens) {
  Series series{360, 36};
  series.append(1, point(0));
  const std::size_t bytes = series.bytes();
  for (Step step = 2; step < 5000; ++step) series.append(step, point(0));
  EXPECT_LE(series.bytes(), bytes);
  EXPECT_EQ(events(series, 4990, 4991), std::vector<std::int64_t>{0});
  series.append(5000, point(3));
  EXPECT_THAT(events(series, 4999, 5002), ElementsAre(0, 3, -1));
}

TEST(Series, StaysSmallWhileMuchHappens) {
  Series series{360, 36};
  Point busy = point(12'345, 3);
  for (const std::size_t bucket : {1, 2, 4, 5, 6, 9}) busy.handling[bucket] = 1000;
  for (Step step = 0; step < 2000; ++step) {
    busy.in_flight = static_cast<std::uint64_t>(step % 5);
    series.append(step, busy);
  }
  EXPECT_LE(series.bytes(), 16u << 10);
  EXPECT_EQ(events(series, 1640, 2000).size(), 360u);
  EXPECT_EQ(events(series, 1640, 1641), std::vector<std::int64_t>{12'345});
  EXPECT_EQ(events(series, 1500, 1501), std::vector<std::int64_t>{-1}) << "it is too long ago";
}

TEST(Series, TakesNoteOfMemoryThatHasChangedByMoreThanALittle) {
  Series series{360, 36};
  Point next = point(0);
  std::vector<std::uint64_t> seen;
  Step step = 0;
  for (const std::uint64_t mebibytes : {64, 65, 63, 66, 65, 10, 0, 1}) {
    next.memory_bytes = mebibytes << 20;
    series.append(++step, next);
  }
  series.each(1, step + 1, [&](Step, const Point& each) { seen.push_back(each.memory_bytes >> 20); });
  EXPECT_THAT(seen, ElementsAre(64, 64, 64, 66, 66, 10, 0, 1));
}

// Against a table of all that was said.
TEST(Series, KeepsWhateverIsSaid) {
  std::minstd_rand random{7};
  for (int round = 0; round < 20; ++round) {
    Series series{100, 10};
    std::map<Step, Point> said;
    Step step = 50;
    for (int i = 0; i < 400; ++i) {
      step += random() % 10 == 0 ? 1 + random() % 30 : 1;
      Point next = random() % 3 == 0 ? Point{} : point(random() % 2 == 0 ? 0 : random(), random() % 2);
      if (next.known) next.in_flight = random() % 2;
      if (next.known) next.memory_bytes = (random() % 3) << 24;
      said[step] = next;
      series.append(step, next);
    }
    Series again{100, 10};
    std::string text;
    series.write(text);
    std::string_view rest = text;
    ASSERT_TRUE(again.read(rest));
    EXPECT_TRUE(rest.empty());
    for (const Series* each : {&series, &again}) {
      std::size_t seen = 0;
      each->each(step - 99, step + 1, [&](Step at, const Point& got) {
        ++seen;
        const auto found = said.find(at);
        EXPECT_EQ(got, found == said.end() ? Point{} : found->second) << at;
      });
      EXPECT_EQ(seen, 100u);
    }
    again.append(step + 1, point(4));
    EXPECT_EQ(events(again, step + 1, step + 2), std::vector<std::int64_t>{4});
    for (std::size_t cut = 0; cut < text.size(); cut += 7) {
      std::string_view part = std::string_view(text).substr(0, cut);
      EXPECT_FALSE(again.read(part));
    }
  }
}

TEST(Quantile, IsFoundWithinItsBucket) {
  DurationCounts counts{};
  EXPECT_FALSE(quantile(counts, 0.5));
  counts[3] = 10;  // up to 1 ms
  EXPECT_NEAR(*quantile(counts, 0.5), 0.00075, 1e-9);
  counts[kDurationBuckets - 1] = 10;
  EXPECT_EQ(quantile(counts, 0.99), 60);
}

}  // namespace
}  // namespace nuclio::dashboard
