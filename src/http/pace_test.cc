// SPDX-License-Identifier: Apache-2.0
#include "http/pace.h"

#include <gtest/gtest.h>

namespace nuclio::http {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kBegin{1h};

// How long a peer lasts that sends `bytes` each `pause`, after a burst; one hour when it is never cut.
std::chrono::milliseconds lasts(std::uint64_t burst, std::uint64_t bytes, std::chrono::milliseconds pause) {
  Pace pace{10s, Bytes{1024}, kBegin};
  pace.moved(burst, kBegin);
  for (SteadyTime now = kBegin;; now += pause) {
    if (now > pace.deadline().when() || now >= kBegin + 1h)
      return std::chrono::duration_cast<std::chrono::milliseconds>(std::min(pace.deadline().when(), now) - kBegin);
    pace.moved(bytes, now);
  }
}

TEST(Pace, CutsWhoIsSlowerThanTheRateAndNobodyElse) {
  EXPECT_EQ(lasts(0, 0, 1s), 10s);
  EXPECT_LE(lasts(0, 1, 1s), 10s + 20ms);
  EXPECT_EQ(lasts(0, 1024, 1s), 1h);
  EXPECT_EQ(lasts(0, 10240, 10s), 1h);  // rarely and much
  EXPECT_LT(lasts(0, 1000, 1s), 10min);
  EXPECT_LT(lasts(0, 1, 1ms), 10min);
}

TEST(Pace, DoesNotLetABurstBuyTime) {
  EXPECT_LE(lasts(1 << 30, 1, 1s), 10s + 20ms);
  EXPECT_LE(lasts(UINT64_MAX, 0, 1s), 10s);
}

TEST(Pace, TakesARateOfZeroForTheSlowestThereIs) {
  Pace pace{10s, Bytes{0}, kBegin};
  pace.moved(5, kBegin + 5s);
  EXPECT_EQ(pace.deadline().when(), kBegin + 15s);
}

}  // namespace
}  // namespace nuclio::http
