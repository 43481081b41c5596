// SPDX-License-Identifier: Apache-2.0
#include "loop/clock.h"

#include <algorithm>

namespace nuclio {

// Sleeps are steady and the wall clock is not: looking again once a minute notices that somebody set it.
Task<void> SystemClock::sleep_until(SystemTime when) {
  using namespace std::chrono_literals;
  for (;;) {
    std::chrono::nanoseconds left = when - now();
    if (left <= 0ns) co_return;
    co_await loop_.sleep(std::min<std::chrono::nanoseconds>(left, 1min));
  }
}

}  // namespace nuclio
