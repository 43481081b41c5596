// SPDX-License-Identifier: Apache-2.0
#include "load/histogram.h"

#include <gtest/gtest.h>

namespace nuclio::load {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, HasNothingToSayAboutNothing) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0ns);
  EXPECT_EQ(histogram.max(), 0ns);
}

TEST(Histogram, IsWithinOnePercentAtEverySize) {
  for (std::chrono::nanoseconds size : {0ns, 1ns, 127ns, 128ns, 1'000ns, 999'999ns, 10'000'000ns, 600'000'000'000ns}) {
    Histogram histogram;
    histogram.add(size);
    histogram.add(10min);
    EXPECT_GE(histogram.quantile(0.5), size);
    EXPECT_LE(histogram.quantile(0.5), size + size / 100);
  }
}

TEST(Histogram, FindsTheQuantiles) {
  Histogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.add(i * 1us);
  EXPECT_NEAR(static_cast<double>(histogram.quantile(0.5).count()), 500e3, 5e3);
  EXPECT_NEAR(static_cast<double>(histogram.quantile(0.99).count()), 990e3, 9.9e3);
  EXPECT_EQ(histogram.quantile(1), 1000us);
  EXPECT_EQ(histogram.max(), 1000us);
}

TEST(Histogram, TakesWhatIsBeyondItsRange) {
  Histogram histogram;
  histogram.add(-1s);
  histogram.add(24h);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.quantile(0), 0ns);
  EXPECT_EQ(histogram.max(), 24h);
}

}  // namespace
}  // namespace nuclio::load
