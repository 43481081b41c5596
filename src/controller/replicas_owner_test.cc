// SPDX-License-Identifier: Apache-2.0
#include "controller/replicas_owner.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace nuclio::controller {
namespace {

namespace json = boost::json;

json::object deployment(const char* managed_fields) {
  return {{"metadata", {{"managedFields", json::parse(managed_fields)}}}};
}

json::object noted(const char* managed_fields) {
  json::object out = deployment(managed_fields);
  note_owner_of_replicas(out);
  return out;
}

constexpr const char* kOurs =
    R"([{"manager": "nuclio-controller", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kube-controller-manager", "subresource": "status", "fieldsV1": {"f:status": {"f:replicas": {}}}}])";
constexpr const char* kShared =
    R"([{"manager": "nuclio-controller", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kube-controller-manager", "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}}])";

TEST(ReplicasOwner, IsSomebodyElseWhoHasSetThem) {
  EXPECT_FALSE(others_own_replicas(noted(kOurs)));
  EXPECT_TRUE(others_own_replicas(noted(kShared)));
  EXPECT_FALSE(others_own_replicas(deployment(kShared))) << "nobody has looked";
}

TEST(ReplicasOwner, StaysAsNotedWhenTheManagedFieldsAreGone) {
  json::object object = noted(kShared);
  object["metadata"].get_object().erase("managedFields");
  note_owner_of_replicas(object);
  EXPECT_TRUE(others_own_replicas(object));
}

}  // namespace
}  // namespace nuclio::controller
