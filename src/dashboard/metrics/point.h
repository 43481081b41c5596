// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace nuclio::dashboard {

// Upper bounds of the buckets in which durations are counted here. They are those of the processor, so that nothing is
// lost; one of another version may have others, which fall into the next of these.
inline constexpr std::array kDurationBoundsSeconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                      0.1,    0.25,    0.5,    1.0,   2.5,    5.0,   10.0, 30.0,  60.0};
// One more for what is above all bounds.
inline constexpr std::size_t kDurationBuckets = kDurationBoundsSeconds.size() + 1;

using DurationCounts = std::array<std::uint64_t, kDurationBuckets>;

// What is known of a function over some time, of all its replicas together.
struct Point {
  bool known = false;  // nobody could be asked: the rest is 0
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  DurationCounts handling{};  // events by how long the handler took
  std::uint64_t waits = 0;    // events that got a worker
  std::uint64_t wait_microseconds = 0;
  // At its end; the most, of several put together.
  std::uint64_t in_flight = 0;
  std::uint64_t workers = 0;
  std::uint64_t replicas = 0;
  std::uint64_t memory_bytes = 0;  // 0: a replica, if there is one, has not said

  friend bool operator==(const Point&, const Point&) = default;
};

// Of two replicas at the same time.
void add_beside(Point& sum, const Point& other);
// Of two times, one after the other.
void add_behind(Point& sum, const Point& next);

// How long the handler took at most for that part of the events, in seconds, as far as buckets tell. Of no events:
// nothing.
std::optional<double> quantile(const DurationCounts& handling, double part);

}  // namespace nuclio::dashboard
