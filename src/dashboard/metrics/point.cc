// SPDX-License-Identifier: Apache-2.0
#include "dashboard/metrics/point.h"

#include <algorithm>
#include <numeric>

namespace nuclio::dashboard {
namespace {

void add_counts(Point& sum, const Point& other) {
  sum.known = sum.known || other.known;
  sum.succeeded += other.succeeded;
  sum.failed += other.failed;
  for (std::size_t i = 0; i < sum.handling.size(); ++i) sum.handling[i] += other.handling[i];
  sum.waits += other.waits;
  sum.wait_microseconds += other.wait_microseconds;
}

}  // namespace

void add_beside(Point& sum, const Point& other) {
  add_counts(sum, other);
  sum.in_flight += other.in_flight;
  sum.workers += other.workers;
  sum.replicas += other.replicas;
  sum.memory_bytes += other.memory_bytes;
}

void add_behind(Point& sum, const Point& next) {
  add_counts(sum, next);
  sum.in_flight = std::max(sum.in_flight, next.in_flight);
  sum.workers = std::max(sum.workers, next.workers);
  sum.replicas = std::max(sum.replicas, next.replicas);
  sum.memory_bytes = std::max(sum.memory_bytes, next.memory_bytes);
}

std::optional<double> quantile(const DurationCounts& handling, double part) {
  const std::uint64_t total = std::accumulate(handling.begin(), handling.end(), std::uint64_t{0});
  if (total == 0) return std::nullopt;
  const double wanted = part * static_cast<double>(total);
  double below = 0;
  for (std::size_t i = 0; i < handling.size(); ++i) {
    const auto here = static_cast<double>(handling[i]);
    if (here > 0 && below + here >= wanted) {
      // Above all bounds, the last of them is what is known.
      if (i == kDurationBoundsSeconds.size()) return kDurationBoundsSeconds.back();
      const double low = i == 0 ? 0 : kDurationBoundsSeconds[i - 1];
      return low + (kDurationBoundsSeconds[i] - low) * (wanted - below) / here;
    }
    below += here;
  }
  return kDurationBoundsSeconds.back();
}

}  // namespace nuclio::dashboard
