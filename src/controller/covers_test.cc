// SPDX-License-Identifier: Apache-2.0
#include "controller/covers.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace nuclio::controller {
namespace {

bool covered(const char* actual, const char* desired) {
  return covers(boost::json::parse(actual), boost::json::parse(desired));
}

TEST(Covers, OverlooksWhatOthersHaveAdded) {
  EXPECT_TRUE(covered(R"({"a": 1, "b": {"c": "x", "d": 2}})", R"({"b": {"c": "x"}})"));
  EXPECT_TRUE(covered(R"([{"name": "http", "port": 80, "protocol": "TCP"}])", R"([{"name": "http", "port": 80}])"));
}

TEST(Covers, SeesWhatIsOtherwise) {
  EXPECT_FALSE(covered(R"({"a": 1})", R"({"a": 2})"));
  EXPECT_FALSE(covered(R"({})", R"({"a": "x"})"));
  EXPECT_FALSE(covered(R"({"a": "x"})", R"({"a": {"b": 1}})"));
}

TEST(Covers, TakesListsInTheirOrderAndWhole) {
  EXPECT_FALSE(covered(R"([1, 2])", R"([2, 1])"));
  EXPECT_FALSE(covered(R"([1, 2, 3])", R"([1, 2])"));
  EXPECT_FALSE(covered(R"({"env": [{"name": "A", "value": "1"}]})", R"({"env": []})"));
}

TEST(Covers, KnowsThatTheServerLeavesOutWhatIsEmpty) {
  EXPECT_TRUE(covered(R"({})", R"({"value": "", "list": [], "map": {"x": {}}, "off": false, "zero": 0})"));
  EXPECT_FALSE(covered(R"({"replicas": 1})", R"({"replicas": 0})"));
}

TEST(Covers, ComparesQuantitiesByTheirValue) {
  EXPECT_TRUE(
      covered(R"({"limits": {"cpu": "1", "memory": "1Gi"}})", R"({"limits": {"cpu": "1000m", "memory": "1024Mi"}})"));
  EXPECT_TRUE(covered(R"({"requests": {"cpu": "500m"}})", R"({"requests": {"cpu": 0.5}})"));
  EXPECT_FALSE(covered(R"({"limits": {"cpu": "1"}})", R"({"limits": {"cpu": "1001m"}})"));
  EXPECT_FALSE(covered(R"({"args": ["1"]})", R"({"args": ["1000m"]})")) << "not under limits or requests";
}

TEST(Covers, LetsOthersOwnTheObjectToo) {
  EXPECT_TRUE(covered(R"({"ownerReferences": [{"uid": "b", "kind": "Y"}, {"uid": "a", "kind": "X"}]})",
                      R"({"ownerReferences": [{"uid": "a"}]})"));
  EXPECT_FALSE(covered(R"({"ownerReferences": [{"uid": "b"}]})", R"({"ownerReferences": [{"uid": "a"}]})"));
}

}  // namespace
}  // namespace nuclio::controller
