// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/attempts.h"

#include <gtest/gtest.h>

namespace nuclio::dashboard {
namespace {

using namespace std::chrono_literals;

TEST(Attempts, StopAGuesserAndNotTheUserElsewhere) {
  Attempts attempts;
  const SteadyTime begin{};
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(attempts.wait("ada", "192.0.2.1", begin), 0s) << i;
    attempts.failed("ada", "192.0.2.1", begin);
  }
  EXPECT_EQ(attempts.wait("ada", "192.0.2.1", begin + 10s), 290s);
  EXPECT_EQ(attempts.wait("ada", "192.0.2.2", begin), 0s);
  EXPECT_EQ(attempts.wait("bob", "192.0.2.1", begin), 0s);
  EXPECT_EQ(attempts.wait("ada", "192.0.2.1", begin + 300s), 0s);
}

TEST(Attempts, StopWhoGuessesManyUsersAndManyWhoGuessOne) {
  Attempts attempts;
  const SteadyTime now{};
  for (int i = 0; i < 100; ++i) {
    attempts.failed("user" + std::to_string(i), "192.0.2.1", now);
    attempts.failed("ada", "198.51.100." + std::to_string(i), now);
  }
  EXPECT_GT(attempts.wait("another", "192.0.2.1", now), 0s);
  EXPECT_GT(attempts.wait("ada", "203.0.113.1", now), 0s);
  EXPECT_EQ(attempts.wait("another", "203.0.113.1", now), 0s);
}

TEST(Attempts, ForgetAfterASuccessAndWithoutBoundRememberNobody) {
  Attempts attempts;
  const SteadyTime now{};
  for (int i = 0; i < 10; ++i) attempts.failed("ada", "192.0.2.1", now);
  attempts.succeeded("ada", "192.0.2.1");
  EXPECT_EQ(attempts.wait("ada", "192.0.2.1", now), 0s);
  for (int i = 0; i < 10'000; ++i) attempts.failed(std::to_string(i), "a" + std::to_string(i), now + 1s);
  for (int i = 0; i < 10; ++i) attempts.failed("eve", "192.0.2.9", now + 2s);
  EXPECT_GT(attempts.wait("eve", "192.0.2.9", now + 2s), 0s) << "the newest are remembered";
}

}  // namespace
}  // namespace nuclio::dashboard
