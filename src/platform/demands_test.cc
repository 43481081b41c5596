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

spec::ApiGateway gateway(const std::string& name, const std::string& host, const std::string& path) {
  spec::ApiGateway out;
  out.metadata.name = name;
  out.spec.host = host;
  out.spec.path = path;
  out.spec.upstreams.push_back({.function = {"f"}});
  return out;
}

TEST(MayServe, OneAtAPlaceAlone) {
  const std::vector others{gateway("other", "h", "/shop")};
  spec::FunctionConfig function;
  function.metadata.name = "f";
  spec::HttpTrigger http;
  http.ingresses["0"] = {.host = "h", .paths = {"/own/"}};
  function.spec.triggers["web"].kind = http;
  const auto may = [&](const std::string& name, const std::string& host, const std::string& path) {
    const auto result = may_serve(gateway(name, host, path), others, {function}, CheckFunctions::yes);
    return result ? std::string() : result.error().what;
  };
  EXPECT_EQ(may("g", "h", ""), "");
  EXPECT_EQ(may("g", "elsewhere", "/shop"), "");
  EXPECT_EQ(may("other", "h", "/shop"), "") << "it is itself";
  EXPECT_EQ(may("g", "h", "shop/"),
            "host \"h\" with path \"shop/\" is in use by API gateway \"other\"; choose another host or path");
  EXPECT_EQ(may("g", "h", "/own"),
            "host \"h\" with path \"/own\" is in use by function \"f\"; choose another host or path");
}

TEST(IsOf, TellsGatewaysByProjectAndFunction) {
  spec::ApiGateway one = gateway("g", "h", "");
  EXPECT_TRUE(is_of(one, {}));
  EXPECT_TRUE(is_of(one, {.project = ProjectName{"default"}, .function = FunctionName{"f"}}));
  EXPECT_FALSE(is_of(one, {.function = FunctionName{"other"}}));
  one.metadata.labels["nuclio.io/project-name"] = "media";
  EXPECT_FALSE(is_of(one, {.project = ProjectName{"default"}}));
  EXPECT_TRUE(is_of(one, {.project = ProjectName{"media"}}));
}

}  // namespace
}  // namespace nuclio::platform
