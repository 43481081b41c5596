// SPDX-License-Identifier: Apache-2.0
#include "platform/kube/pods.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <memory>
#include <vector>

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;

struct Pod {
  std::string ip = "10.0.0.1";
  std::string made = "2026-01-31T12:00:00Z";
  std::string version = "a1";
  std::string ready = "True";
  std::string phase = "Running";
  bool deleted = false;
};

json::object untrimmed(const Pod& pod) {
  json::object out = json::parse(R"({
    "metadata": {"name": "nuclio-f-x", "labels": {}},
    "spec": {"containers": [
      {"name": "put-before", "ports": [{"containerPort": 9}, {"name": "http", "containerPort": 7}]},
      {"name": "nuclio", "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 8090}]},
      {"name": "beside", "ports": [{"name": "http", "containerPort": 7}]}]},
    "status": {"conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready"}]}})")
                         .as_object();
  json::object& metadata = out["metadata"].as_object();
  metadata["creationTimestamp"] = pod.made;
  metadata["labels"].as_object()["pod-template-hash"] = pod.version;
  if (pod.deleted) metadata["deletionTimestamp"] = "2026-01-31T13:00:00Z";
  json::object& status = out["status"].as_object();
  status["phase"] = pod.phase;
  status["podIP"] = pod.ip;
  status["conditions"].as_array()[1].as_object()["status"] = pod.ready;
  return out;
}

k8s::Object seen(const Pod& pod) {
  json::object out = untrimmed(pod);
  trim_pod(out);
  return std::make_shared<const json::object>(std::move(out));
}

std::string invoked(const std::vector<Pod>& pods, std::size_t turn = 0) {
  std::vector<k8s::Object> objects;
  objects.reserve(pods.size());
  for (const Pod& pod : pods) objects.push_back(seen(pod));
  return address_to_invoke(objects, turn);
}

TEST(Pods, AreTrimmedToWhatIsAskedForHowOftenEver) {
  json::object pod = untrimmed({});
  trim_pod(pod);
  const json::object once = pod;
  trim_pod(pod);
  EXPECT_EQ(pod, once);
  EXPECT_FALSE(pod.contains("spec"));
  EXPECT_LT(json::serialize(pod).size(), json::serialize(untrimmed({})).size());
}

TEST(Pods, AreReachedAtTheFunctionsPortsWhileTheyGoOn) {
  EXPECT_EQ(address_of(*seen({}), "http"), "10.0.0.1:8080");
  EXPECT_EQ(address_of(*seen({.ip = "2001:db8::7"}), "metrics"), "[2001:db8::7]:8090");
  EXPECT_EQ(address_of(*seen({.ready = "False"}), "metrics"), "10.0.0.1:8090");
  EXPECT_EQ(address_of(*seen({}), "other"), "");
  EXPECT_EQ(address_of(*seen({.ip = ""}), "http"), "");
  EXPECT_EQ(address_of(*seen({.phase = "Succeeded"}), "http"), "");
  EXPECT_EQ(address_of(*seen({.deleted = true}), "http"), "");
}

TEST(Pods, AreInvokedInTheirNewestVersionThatIsReady) {
  const Pod before{.ip = "10.0.0.1", .made = "2026-01-31T12:00:00Z", .version = "a1"};
  Pod after{.ip = "10.0.0.2", .made = "2026-01-31T12:10:00Z", .version = "b2", .ready = "False"};
  EXPECT_EQ(invoked({after, before}), "10.0.0.1:8080");
  after.ready = "True";
  EXPECT_EQ(invoked({after, before}), "10.0.0.2:8080");
  EXPECT_EQ(invoked({before, after}), "10.0.0.2:8080");
  after.deleted = true;
  EXPECT_EQ(invoked({before, after}), "10.0.0.1:8080");
  EXPECT_EQ(invoked({after}), "");
  EXPECT_EQ(invoked({}), "");
}

TEST(Pods, AreInvokedInTurn) {
  const std::vector<Pod> pods{{.ip = "10.0.0.1", .version = "b2"},
                              {.ip = "10.0.0.9", .version = "a1"},
                              {.ip = "10.0.0.2", .made = "2026-01-31T12:00:01Z", .version = "b2"}};
  EXPECT_EQ(invoked(pods, 0), "10.0.0.1:8080");
  EXPECT_EQ(invoked(pods, 1), "10.0.0.2:8080");
  EXPECT_EQ(invoked(pods, 2), "10.0.0.1:8080");
}

}  // namespace
}  // namespace nuclio::platform::kube
