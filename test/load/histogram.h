// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <vector>

namespace nuclio::load {

// Durations in buckets whose width is below 1 % of what they hold, so that a run of any length takes the same 34 KiB.
// From 0 to 18 minutes; longer ones count as 18 minutes.
class Histogram {
 public:
  Histogram();

  void add(std::chrono::nanoseconds duration);
  std::uint64_t count() const { return count_; }
  // The duration that `part` (0 to 1) of all did not exceed, at most 1 % too long; 0 when there are none.
  std::chrono::nanoseconds quantile(double part) const;
  std::chrono::nanoseconds max() const { return max_; }  // exact

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::chrono::nanoseconds max_{0};
};

}  // namespace nuclio::load
