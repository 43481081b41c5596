// SPDX-License-Identifier: Apache-2.0
#include "platform/demands.h"

#include <gtest/gtest.h>

namespace nuclio::platform {
namespace {

TEST(MayHavePriority, IsForThoseOfTheListAndForAllWithoutOne) {
  spec::FunctionConfig function;
  spec::PlatformConfig platform;
  function.spec.priority_class_name = "urgent";
  EXPECT_TRUE(may_have_priority(function, platform));
  platform.kube.valid_function_priority_class_names = {"low", "urgent"};
  EXPECT_TRUE(may_have_priority(function, platform));
  function.spec.priority_class_name = "";
  EXPECT_TRUE(may_have_priority(function, platform)) << "it asks for none";
  function.spec.priority_class_name = "system-node-critical";
  const auto refused = may_have_priority(function, platform);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Why::invalid);
  EXPECT_EQ(refused.error().what, "spec.priorityClassName must be one of low, urgent, is \"system-node-critical\"");
}

}  // namespace
}  // namespace nuclio::platform
