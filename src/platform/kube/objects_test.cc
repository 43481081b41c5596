// SPDX-License-Identifier: Apache-2.0
#include "platform/kube/objects.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "k8s/resource.h"
#include "platform/kube/conditions.h"
#include "spec/load.h"

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;

json::object object(const char* text) { return json::parse(text).as_object(); }

const char* const kFunction = R"({"apiVersion": "nuclio.io/v1", "kind": "NuclioFunction",
  "metadata": {"name": "f", "namespace": "n", "uid": "u", "resourceVersion": "7", "generation": 3,
               "finalizers": ["x/y"], "labels": {"old": "1"}},
  "spec": {"runtime": "python:3.11", "handler": "f:handler", "newer": {"field": 1},
           "build": {"functionSourceCode": "eA=="}},
  "status": {"state": "ready", "replicas": 2}})";

TEST(FunctionObject, IsReadWithWhatNobodyKnowsAsWarnings) {
  auto read = function_of(object(kFunction));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->config.metadata.resource_version, "7");
  EXPECT_EQ(read->config.spec.handler, "f:handler");
  EXPECT_EQ(read->config.status.state, spec::FunctionState::ready);
  ASSERT_EQ(read->warnings.size(), 1U);
  EXPECT_EQ(read->warnings[0].path, "spec.newer");
}

TEST(FunctionObject, KeepsTheMetadataThatIsNotItsBusiness) {
  const json::object existing = object(kFunction);
  auto read = function_of(existing);
  ASSERT_TRUE(read);
  read->config.metadata.labels = {{"new", "2"}};
  json::value written = spec::to_json(read->config, spec::Secrets::shown);
  const json::object out = object_of(written.get_object(), &existing);
  EXPECT_EQ(out.at("apiVersion"), "nuclio.io/v1beta1");
  const json::object& metadata = out.at("metadata").get_object();
  EXPECT_EQ(metadata.at("uid"), "u");
  EXPECT_EQ(metadata.at("finalizers"), json::array{"x/y"});
  EXPECT_EQ(metadata.at("labels"), (json::object{{"new", "2"}}));
  EXPECT_EQ(metadata.at("resourceVersion"), "7");
}

TEST(FunctionEventObject, KeepsTheMetadataThatIsNotItsBusiness) {
  const json::object existing = object(R"({"apiVersion": "nuclio.io/v1beta1", "kind": "NuclioFunctionEvent",
    "metadata": {"name": "e", "namespace": "n", "uid": "u", "resourceVersion": "7", "labels": {"old": "1"}},
    "spec": {"body": "b", "newer": 1}})");
  auto read = function_event_of(existing);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->config.spec.body, "b");
  EXPECT_EQ(read->config.metadata.resource_version, "7");
  EXPECT_EQ(read->warnings.size(), 1U);
  read->config.metadata.labels = {{"new", "2"}};
  EXPECT_EQ(object_of(read->config, &existing), object(R"({"apiVersion": "nuclio.io/v1", "kind": "NuclioFunctionEvent",
    "metadata": {"name": "e", "namespace": "n", "uid": "u", "resourceVersion": "7", "labels": {"new": "2"}},
    "spec": {"body": "b"}})"));
  EXPECT_EQ(object_of(spec::FunctionEvent{}, nullptr).at("spec"), json::object{});
}

TEST(ApiGatewayObject, IsWrittenWhole) {
  const json::object existing = object(R"({"apiVersion": "nuclio.io/v1beta1", "kind": "NuclioAPIGateway",
    "metadata": {"name": "g", "namespace": "n", "uid": "u", "resourceVersion": "7"},
    "spec": {"name": "g", "host": "h", "upstreams": [{"nucliofunction": {"name": "f"}, "percentage": 5}]},
    "status": {"state": "ready"}})");
  auto read = api_gateway_of(existing);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->config.spec.upstreams.at(0).function.name, "f");
  EXPECT_EQ(object_of(read->config, &existing), existing);
}

TEST(BuildInputs, ChangeWithWhatAnImageIsMadeOfAlone) {
  json::object changed = object(kFunction);
  const std::string before = build_inputs(changed);
  changed["spec"].get_object()["replicas"] = 3;
  changed["status"].get_object()["state"] = "error";
  EXPECT_EQ(build_inputs(changed), before);
  changed["spec"].get_object()["build"].get_object()["functionSourceCode"] = "eQ==";
  EXPECT_NE(build_inputs(changed), before);
}

TEST(HasCode, IsSaidByTheCodeAndNotByAnImage) {
  spec::FunctionSpec spec;
  EXPECT_FALSE(has_code(spec));
  spec.image = "i:1";
  EXPECT_FALSE(has_code(spec));
  spec.build.path = "https://code.local/f.py";
  EXPECT_TRUE(has_code(spec));
  spec.build.mode = spec::BuildMode::never;
  EXPECT_FALSE(has_code(spec));
}

TEST(BuilderOf, IsWhoeverTheStatusNames) {
  json::object function{{"status", {{"state", "building"}}}};
  EXPECT_EQ(builder_of(function), "") << "Nuclio's own builders do not say";
  function["status"].get_object()["builder"] = builder_status("pod-a_x_1", std::chrono::system_clock::from_time_t(0));
  EXPECT_EQ(builder_of(function), "pod-a_x_1");
  EXPECT_EQ(k8s::at(function, "status.builder.renewed")->as_string(), "1970-01-01T00:00:00Z");
  function["status"].get_object()["builder"] = "me";
  EXPECT_EQ(builder_of(function), "");
}

TEST(Conditions, KeepTheTimeOfTheirLastTransition) {
  json::object status;
  set_condition(status, {kReady, false, "Progressing", ""}, 1, "2027-01-01T00:00:00Z");
  set_condition(status, {kBuilt, true, "ImageAvailable", "i:1"}, 1, "2027-01-01T00:00:00Z");
  set_condition(status, {kReady, false, "ImagePullBackOff", "no"}, 2, "2027-01-02T00:00:00Z");
  json::array& conditions = status["conditions"].get_array();
  ASSERT_EQ(conditions.size(), 2U);
  EXPECT_EQ(conditions[0].at("lastTransitionTime"), "2027-01-01T00:00:00Z");
  EXPECT_EQ(conditions[0].at("reason"), "ImagePullBackOff");
  EXPECT_EQ(conditions[0].at("observedGeneration"), 2);
  set_condition(status, {kReady, true, "Available", ""}, 2, "2027-01-03T00:00:00Z");
  EXPECT_EQ(status["conditions"].get_array()[0].at("lastTransitionTime"), "2027-01-03T00:00:00Z");
  EXPECT_FALSE(is_false(status, kReady));
  clear_condition(status, kReady);
  EXPECT_EQ(status["conditions"].get_array().size(), 1U);
  clear_condition(status, "Nothing");
  EXPECT_EQ(rfc3339(std::chrono::system_clock::from_time_t(1'800'000'000)), "2027-01-15T08:00:00Z");
}

}  // namespace
}  // namespace nuclio::platform::kube
