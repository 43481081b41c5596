// SPDX-License-Identifier: Apache-2.0
#include "builder/user_namespace.h"

#include <gtest/gtest.h>

namespace nuclio::builder {
namespace {

constexpr std::string_view kAll = "         0          0 4294967295\n";

TEST(UserNamespace, FindsTheRangeOfAUser) {
  constexpr std::string_view kSubids =
      "# a comment\nother:1000:10\nada:100000:65536\nada:200000:65536\n1001:300000:131072\nfew:1:100\nodd:x:y\nhuge:1:"
      "4294967295\n";
  EXPECT_EQ(range_of(kSubids, "ada", 1000), (IdRange{100000, 65536}));
  EXPECT_EQ(range_of(kSubids, "bob", 1001), (IdRange{300000, 65536}));
  EXPECT_EQ(range_of(kSubids, "few", 1002), std::nullopt);
  EXPECT_EQ(range_of(kSubids, "odd", 1003), std::nullopt);
  EXPECT_EQ(range_of(kSubids, "huge", 1004), std::nullopt);
  EXPECT_EQ(range_of(kSubids, "", 1005), std::nullopt);
  EXPECT_EQ(range_of("", "ada", 1000), std::nullopt);
}

TEST(UserNamespace, TakesForRootWhatNobodyElseHas) {
  EXPECT_EQ(range_for_root("", kAll), (IdRange{100000, 65536}));
  EXPECT_EQ(range_for_root("root:500000:65536\n", kAll), (IdRange{500000, 65536}));
  EXPECT_EQ(range_for_root("ada:100000:65536\nbob:165536:65536\n", kAll), (IdRange{231072, 65536}));
}

TEST(UserNamespace, NeverTakesTheRootOfTheMachine) {
  // In a container with ids of its own, root is nobody in particular outside; whether it is cannot be seen from within.
  EXPECT_EQ(range_for_root("", "0 100000 65536\n"), (IdRange{1, 65535}));
  EXPECT_EQ(range_for_root("root:500000:65536\n", "0 100000 65536\n"), (IdRange{1, 65535}));
  EXPECT_EQ(range_for_root("root:0:65536\n", kAll), (IdRange{100000, 65536}));
  EXPECT_EQ(range_for_root("", "0 1000 1\n"), std::nullopt);
  EXPECT_EQ(range_for_root("", "0 1000 1\n1 100000 65536\n"), (IdRange{1, 65535}));
  EXPECT_EQ(range_for_root("", ""), std::nullopt);
}

}  // namespace
}  // namespace nuclio::builder
