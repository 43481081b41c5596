// SPDX-License-Identifier: Apache-2.0
#include "controller/deployer.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "k8s/resource.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;

std::string entry(const std::string& manager, const std::string& time, const std::string& more = "") {
  return R"({"manager": ")" + manager + R"(", "time": ")" + time + R"(", "fieldsV1": {"f:spec": {"f:env": {}}})" +
         more + "}";
}

std::string deployer(const std::string& managed_fields) {
  json::object function{{"metadata",
                         {{"annotations", {{"nuclio.io/deployed-by", "ann"}}},
                          {"managedFields", json::parse("[" + managed_fields + "]")}}}};
  forget_former_deployer(function);
  return std::string(k8s::annotation_of(function, "nuclio.io/deployed-by"));
}

TEST(FormerDeployer, IsForgottenOnceSomebodyElseHasChangedTheSpec) {
  const std::string dashboard = entry("nuclio-dashboard", "2026-01-01T10:00:00Z");
  const std::string before = entry("kubectl", "2026-01-01T09:00:00Z");
  const std::string after = entry("kubectl", "2026-01-01T11:00:00Z");
  const std::string scaled = entry("autoscaler", "2026-01-01T11:00:00Z", R"(, "subresource": "scale")");
  EXPECT_EQ(deployer(dashboard), "ann");
  EXPECT_EQ(deployer(before + "," + dashboard), "ann");
  EXPECT_EQ(deployer(dashboard + "," + scaled), "ann");
  EXPECT_EQ(deployer(dashboard + "," + after), "");
  EXPECT_EQ(deployer(entry("kubectl", "2026-01-01T10:00:00Z") + "," + dashboard), "") << "who knows who was last";
  EXPECT_EQ(deployer(""), "ann") << "nobody says anything";
}

}  // namespace
}  // namespace nuclio::controller
