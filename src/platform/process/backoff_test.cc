// SPDX-License-Identifier: Apache-2.0
#include "platform/process/backoff.h"

#include <gtest/gtest.h>

namespace nuclio::platform::process {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToHalfAMinuteAndForgetsAfterAGoodMinute) {
  Backoff backoff;
  EXPECT_EQ(backoff.next(0s), 100ms);
  EXPECT_EQ(backoff.next(59s), 200ms);
  EXPECT_EQ(backoff.next(0s), 400ms);
  for (int i = 0; i < 20; ++i) (void)backoff.next(0s);
  EXPECT_EQ(backoff.next(0s), 30s);
  EXPECT_EQ(backoff.next(60s), 100ms);
}

}  // namespace
}  // namespace nuclio::platform::process
