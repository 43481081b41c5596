// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/bytes.h"
#include "loop/deadline.h"

namespace nuclio::http {

// How long a peer may still take for a transfer that has a least rate. It may be behind the rate by `grace` and no
// more: what it is ahead is not kept, so that a burst does not buy hours of trickling.
class Pace {
 public:
  // `rate` in bytes a second; 0 is taken for 1.
  Pace(std::chrono::milliseconds grace, Bytes rate, SteadyTime now)
      : grace_(grace), rate_(std::max<std::uint64_t>(rate.count, 1)), late_at_(now + grace) {}

  Deadline deadline() const { return Deadline::at(late_at_); }

  void moved(std::uint64_t bytes, SteadyTime now) {
    // Bounded before it is multiplied: more than this is worth more than the whole grace.
    std::uint64_t counted = std::min(bytes, rate_ * static_cast<std::uint64_t>(grace_.count()) / 1000 + 1);
    auto earned = std::chrono::microseconds{counted * 1'000'000 / rate_};
    late_at_ = std::min(late_at_ + earned, now + grace_);
  }

 private:
  std::chrono::milliseconds grace_;
  std::uint64_t rate_;
  SteadyTime late_at_;
};

}  // namespace nuclio::http
