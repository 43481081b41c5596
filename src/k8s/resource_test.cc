// SPDX-License-Identifier: Apache-2.0
#include "k8s/resource.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "k8s/time.h"

namespace nuclio::k8s {
namespace {

namespace json = boost::json;

TEST(PathOf, FollowsTheServersRules) {
  EXPECT_EQ(path_of(kPods, ""), "/api/v1/pods");
  EXPECT_EQ(path_of(kPods, "media"), "/api/v1/namespaces/media/pods");
  EXPECT_EQ(path_of(kDeployments, "media", "resize", "status"),
            "/apis/apps/v1/namespaces/media/deployments/resize/status");
  EXPECT_EQ(path_of(kNodes, "", "node1"), "/api/v1/nodes/node1");
  EXPECT_EQ(path_of(kNodes, "ignored", "node1"), "/api/v1/nodes/node1");
}

TEST(PathOf, IsNotLedAstrayByNames) {
  EXPECT_EQ(path_of(kPods, "a/b", "../c?d"), "/api/v1/namespaces/a%2Fb/pods/..%2Fc%3Fd");
  EXPECT_EQ(path_of(kPods, "..", "."), "/api/v1/namespaces/%2E%2E/pods/%2E");
}

TEST(Metadata, IsReadWhereItIs) {
  const json::object object = json::parse(R"({"metadata": {"namespace": "media", "name": "resize", "uid": "u",
    "resourceVersion": "7", "generation": 3, "labels": {"app": "x"}, "annotations": {"note": "y"},
    "deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": {"conditions": [1]}})")
                                  .as_object();
  EXPECT_EQ(name_of(object).text(), "media/resize");
  EXPECT_EQ(uid_of(object), "u");
  EXPECT_EQ(resource_version_of(object), "7");
  EXPECT_EQ(generation_of(object), 3);
  EXPECT_EQ(label_of(object, "app"), "x");
  EXPECT_EQ(annotation_of(object, "note"), "y");
  EXPECT_TRUE(being_deleted(object));
  ASSERT_TRUE(at(object, "status.conditions"));
  EXPECT_TRUE(at(object, "status.conditions")->is_array());
  EXPECT_EQ(at(object, "status.conditions.more"), nullptr);
  EXPECT_EQ(at(object, "status.phase"), nullptr);
}

TEST(Metadata, IsEmptyWhereItIsNotOrSomethingElse) {
  for (const char* text :
       {"{}", R"({"metadata": 1})", R"({"metadata": {"name": 1, "labels": [], "generation": "3"}})"}) {
    const json::object object = json::parse(text).as_object();
    EXPECT_EQ(name_of(object), ObjectName{});
    EXPECT_EQ(generation_of(object), 0);
    EXPECT_EQ(label_of(object, "app"), "");
    EXPECT_FALSE(being_deleted(object));
  }
}

TEST(Time, IsWrittenAndReadAsKubernetesDoes) {
  const auto time = std::chrono::system_clock::from_time_t(1136214245);
  EXPECT_EQ(micro_time(time + std::chrono::microseconds{42}), "2006-01-02T15:04:05.000042Z");
  for (const char* text :
       {"2006-01-02T15:04:05Z", "2006-01-02T15:04:05.999Z", "2006-01-02T17:04:05+02:00", "2006-01-02T10:34:05-04:30"})
    EXPECT_EQ(parse_time(text), time) << text;
  for (const char* text : {"", "2006-01-02", "2006-01-02T15:04:05", "2006-01-02T15:04:05Zz", "2006-01-02T15:04:05+2"})
    EXPECT_FALSE(parse_time(text)) << text;
}

TEST(Time, EndsLaterThanAnybodyWaitsForAndNotBeforeItBegan) {
  EXPECT_GT(*parse_time("9999-12-31T23:59:59Z"), std::chrono::system_clock::now());
  EXPECT_LT(*parse_time("1056-01-01T00:00:00Z"), std::chrono::system_clock::now());
}

}  // namespace
}  // namespace nuclio::k8s
