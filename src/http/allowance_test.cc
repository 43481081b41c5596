// SPDX-License-Identifier: Apache-2.0
#include "http/allowance.h"

#include <gtest/gtest.h>

namespace nuclio::http {
namespace {

using namespace std::chrono_literals;

int spent_at(Allowance& allowance, SteadyTime now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += allowance.spend(now);
  return count;
}

TEST(Allowance, HasTheBurstAtOnce) {
  SteadyTime start{};
  Allowance allowance{{.burst = 10, .per_second = 2}, start};
  EXPECT_EQ(spent_at(allowance, start, 100), 10);
}

TEST(Allowance, GrowsWithTimeUpToTheBurst) {
  SteadyTime start{};
  Allowance allowance{{.burst = 10, .per_second = 2}, start};
  spent_at(allowance, start, 100);
  EXPECT_EQ(spent_at(allowance, start + 499ms, 100), 0);
  EXPECT_EQ(spent_at(allowance, start + 500ms, 100), 1);
  EXPECT_EQ(spent_at(allowance, start + 3s, 100), 5);
  EXPECT_EQ(spent_at(allowance, start + 1h, 100), 10);
}

TEST(Allowance, LosesNoTimeToFrequentUse) {
  SteadyTime start{};
  Allowance allowance{{.burst = 10, .per_second = 2}, start};
  spent_at(allowance, start, 100);
  int count = 0;
  for (auto at = 1ms; at <= 2s; at += 1ms) count += spent_at(allowance, start + at, 1);
  EXPECT_EQ(count, 4);
}

TEST(Allowance, IsEarnedByWhatIsOfUse) {
  SteadyTime start{};
  Allowance allowance{{.burst = 10, .per_second = 2}, start};
  spent_at(allowance, start, 100);
  allowance.earn(3);
  EXPECT_EQ(spent_at(allowance, start, 100), 3);
  allowance.earn(1000);
  EXPECT_EQ(spent_at(allowance, start, 100), 10);
}

}  // namespace
}  // namespace nuclio::http
