// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>

#include "loop/deadline.h"

namespace nuclio::http {

// What of something that costs us more than the peer is borne: `burst` at once, and `per_second` in the long run.
struct Borne {
  int burst;
  int per_second;
};

// How much of it the peer has left. What it does that is of use earns some back, up to the burst.
class Allowance {
 public:
  Allowance(Borne borne, SteadyTime now) : borne_(borne), left_(borne.burst), counted_(now) {}

  // False when there is none left.
  bool spend(SteadyTime now) {
    auto earned = (now - counted_) * borne_.per_second / std::chrono::seconds{1};
    if (earned > 0) {
      earn(earned);
      counted_ = now;
    }
    if (left_ == 0) return false;
    --left_;
    return true;
  }
  void earn(std::int64_t count) { left_ = std::min<std::int64_t>(left_ + count, borne_.burst); }

 private:
  Borne borne_;
  std::int64_t left_;
  SteadyTime counted_;
};

}  // namespace nuclio::http
