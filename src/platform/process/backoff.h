// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <chrono>

namespace nuclio::platform::process {

// How long to wait before starting again what ended by itself: 100 ms the first time, twice as long each further time
// up to 30 s, and from the beginning again once it ran well for 60 s.
class Backoff {
 public:
  std::chrono::milliseconds next(std::chrono::nanoseconds ran_for) {
    using namespace std::chrono_literals;
    if (ran_for >= 60s) wait_ = kFirst;
    auto wait = wait_;
    wait_ = std::min<std::chrono::milliseconds>(wait_ * 2, 30s);
    return wait;
  }

 private:
  static constexpr std::chrono::milliseconds kFirst{100};
  std::chrono::milliseconds wait_ = kFirst;
};

}  // namespace nuclio::platform::process
