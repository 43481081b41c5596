// SPDX-License-Identifier: Apache-2.0
#include "controller/function_status.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "k8s/resource.h"
#include "platform/kube/conditions.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using Stage = Rollout::Stage;

const auto kNow = std::chrono::system_clock::from_time_t(1'800'000'000);  // 2027-01-15T08:00:00Z

json::object object(const char* text) { return json::parse(text).as_object(); }

json::object deployment(int wanted, int updated, int total, int available, int generation = 1) {
  return {{"metadata", {{"name", "nuclio-f"}, {"namespace", "n"}, {"generation", generation}}},
          {"spec",
           {{"replicas", wanted},
            {"template",
             {{"metadata", {{"annotations", {{"hash", "new"}}}}}, {"spec", {{"containers", {{{"image", "i:2"}}}}}}}}}},
          {"status",
           {{"observedGeneration", 1},
            {"updatedReplicas", updated},
            {"replicas", total},
            {"availableReplicas", available}}}};
}

k8s::Object pod(json::object status, const char* hash = "new", const char* image = "i:2") {
  json::object out{{"metadata", {{"name", "nuclio-f-1"}, {"namespace", "n"}, {"annotations", {{"hash", hash}}}}},
                   {"spec", {{"containers", {{{"image", image}}}}}},
                   {"status", std::move(status)}};
  return std::make_shared<const json::object>(std::move(out));
}

json::object waiting(const char* reason, const char* message = "", const char* container = "nuclio") {
  return {{"containerStatuses",
           {{{"name", container}, {"state", {{"waiting", {{"reason", reason}, {"message", message}}}}}}}}};
}

Rollout look(const json::object& deployment, std::vector<k8s::Object> pods = {}, bool patient = false) {
  RolloutInput input{.deployment = &deployment, .pods = std::move(pods), .patient = patient, .now = kNow};
  return rollout_of(input);
}

TEST(RolloutOf, IsCompleteWhenAllReplicasAreNewAndAnswer) {
  EXPECT_EQ(look(deployment(2, 2, 2, 2)).stage, Stage::complete);
  EXPECT_EQ(look(deployment(2, 2, 3, 2)).stage, Stage::going_on) << "an old one is still there";
  EXPECT_EQ(look(deployment(2, 1, 2, 2)).stage, Stage::going_on) << "one is of the template before";
  EXPECT_EQ(look(deployment(2, 2, 2, 1)).stage, Stage::going_on) << "one does not answer";
  EXPECT_EQ(look(deployment(1, 1, 1, 1, 2)).stage, Stage::going_on) << "what was asked for last was not seen yet";
  EXPECT_EQ(look(deployment(0, 0, 2, 2)).stage, Stage::complete) << "those that go need not be waited for";
  EXPECT_EQ(rollout_of({.now = kNow}).stage, Stage::going_on) << "there is no deployment yet";
}

TEST(RolloutOf, SaysWhatKeepsANewReplicaFromStarting) {
  Rollout image = look(deployment(1, 1, 2, 1), {pod(waiting("ImagePullBackOff", "no such tag"))});
  EXPECT_EQ(image.stage, Stage::stuck);
  EXPECT_EQ(image.reason, "ImagePullBackOff");
  EXPECT_EQ(image.message, "a new replica does not start: its image cannot be pulled: no such tag");
  Rollout crash = look(deployment(1, 1, 1, 0), {pod(object(R"({"containerStatuses": [{"name": "nuclio",
      "state": {"waiting": {"reason": "CrashLoopBackOff"}},
      "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}}}]})"))});
  EXPECT_EQ(crash.stage, Stage::broken);
  EXPECT_EQ(crash.message, "a new replica does not start: it ends again and again (exit code 3)");
  EXPECT_EQ(crash.crashed_pod, "nuclio-f-1");
  Rollout beside = look(deployment(1, 1, 1, 0), {pod(waiting("InvalidImageName", "", "proxy"))});
  EXPECT_THAT(beside.message, HasSubstr("container \"proxy\": its image has no valid name"));
}

TEST(RolloutOf, OverlooksReplicasOfBefore) {
  EXPECT_EQ(look(deployment(1, 1, 2, 1), {pod(waiting("CrashLoopBackOff"), "old")}).stage, Stage::going_on);
  EXPECT_EQ(look(deployment(1, 1, 2, 1), {pod(waiting("CrashLoopBackOff"), "new", "i:1")}).stage, Stage::going_on);
}

TEST(RolloutOf, WaitsForTheTimeOutOfAPatientFunction) {
  EXPECT_EQ(look(deployment(1, 1, 1, 0), {pod(waiting("CrashLoopBackOff"))}, true).stage, Stage::going_on);
  json::object late = deployment(1, 1, 1, 0);
  late["status"].as_object()["conditions"] =
      json::parse(R"([{"type": "Progressing", "status": "False", "message": "has timed out progressing"}])");
  EXPECT_EQ(look(late, {}, true).reason, "ReadinessTimeout");
}

TEST(RolloutOf, GivesAClusterAMinuteToFindANode) {
  auto unscheduled = [](const char* since) {
    json::object status = object(R"({"conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."}]})");
    status["conditions"].as_array()[0].as_object()["lastTransitionTime"] = since;
    return pod(std::move(status));
  };
  Rollout young = look(deployment(1, 1, 1, 0), {unscheduled("2027-01-15T07:59:50Z")});
  EXPECT_EQ(young.stage, Stage::going_on);
  EXPECT_EQ(young.look_again, 50s);
  Rollout old = look(deployment(1, 1, 1, 0), {unscheduled("2027-01-15T07:59:00Z")});
  EXPECT_EQ(old.stage, Stage::stuck);
  EXPECT_THAT(old.message, HasSubstr("finds no node: 0/1 nodes are available"));
}

class StatusOf : public ::testing::Test {
 protected:
  StatusOf() {
    config_.metadata.name = "f";
    config_.metadata.namespace_name = "n";
    config_.spec.image = "i:2";
    config_.spec.triggers["web"].name = "web";
  }
  json::object status(const char* before, Rollout rollout, json::object deployment = controller::deployment(1, 1, 1, 1),
                      bool to_zero = false) {
    function_["metadata"] = json::object{{"name", "f"}, {"namespace", "n"}, {"generation", 4}};
    function_["status"] = json::parse(before);
    json::object service = object(R"({"spec": {"ports": [{"name": "http", "nodePort": 30123}]}})");
    const std::vector<std::string> addresses{"192.0.2.1"};
    StatusInput input{.function = function_,
                      .config = config_,
                      .deployment = &deployment,
                      .service = &service,
                      .rollout = rollout,
                      .scaled_to_zero = to_zero,
                      .external_addresses = addresses,
                      .ingress_urls = {},
                      .node_selector = {},
                      .now = kNow};
    return status_of(input);
  }
  static std::string condition(const json::object& status, const char* type) {
    for (const json::value& each : status.at("conditions").as_array())
      if (each.at("type") == json::value(type))
        return std::string(each.at("status").as_string()) + " " + std::string(each.at("reason").as_string());
    return "none";
  }
  json::object function_;
  spec::FunctionConfig config_;
};

TEST_F(StatusOf, IsReadyWithItsAddressesOnceAllAnswer) {
  json::object out = status(R"({"state": "waitingForResourceConfiguration", "logs": [1]})", {.stage = Stage::complete});
  EXPECT_EQ(out["state"], "ready");
  EXPECT_EQ(out["httpPort"], 30123);
  EXPECT_EQ(out["internalInvocationUrls"], json::array{"nuclio-f.n.svc.cluster.local:8080"});
  EXPECT_EQ(out["externalInvocationUrls"], json::array{"192.0.2.1:30123"});
  EXPECT_EQ(out["observedGeneration"], 4);
  EXPECT_EQ(out["replicas"], 1);
  EXPECT_EQ(out["logs"], json::array{1}) << "what the build said stays";
  EXPECT_EQ(out["scaleToZero"].at("lastScaleEvent"), "resourceUpdated");
  EXPECT_EQ(condition(out, "Ready"), "True Available");
  EXPECT_EQ(condition(out, "Deployed"), "True RolledOut");
  EXPECT_EQ(condition(out, "Stalled"), "none");
}

TEST_F(StatusOf, IsTheSameWhenNothingHasChanged) {
  json::object first = status(R"({"state": "waitingForResourceConfiguration"})", {.stage = Stage::complete});
  EXPECT_EQ(status(json::serialize(first).c_str(), {.stage = Stage::complete}), first);
  Rollout broken{.stage = Stage::broken, .reason = "CrashLoopBackOff", .message = "it ends"};
  json::object failed = status(R"({"state": "waitingForResourceConfiguration"})", broken);
  EXPECT_EQ(status(json::serialize(failed).c_str(), broken), failed);
  EXPECT_EQ(status(json::serialize(failed).c_str(), {}), failed) << "between two failures it looks well";
}

TEST_F(StatusOf, TellsWhatNeverServedFromWhatBroke) {
  Rollout broken{.stage = Stage::broken, .reason = "CrashLoopBackOff", .message = "it ends"};
  json::object none = deployment(1, 1, 1, 0);
  json::object fresh = status(R"({"state": "waitingForResourceConfiguration"})", broken, none);
  EXPECT_EQ(fresh["state"], "error");
  EXPECT_EQ(fresh["message"], "it ends");
  EXPECT_EQ(condition(fresh, "Ready"), "False CrashLoopBackOff");
  EXPECT_EQ(condition(fresh, "Stalled"), "True CrashLoopBackOff");
  json::object served = status(R"({"state": "ready", "observedGeneration": 4})", broken, none);
  EXPECT_EQ(served["state"], "unhealthy");
  json::object changed = status(R"({"state": "ready", "observedGeneration": 3})", broken);
  EXPECT_EQ(changed["state"], "error");
  EXPECT_EQ(changed["message"], "it ends\nThe version that was deployed before goes on serving.");
}

TEST_F(StatusOf, FollowsAFunctionThatWasChangedByHand) {
  json::object out = status(R"({"state": "ready", "observedGeneration": 3})", {}, deployment(1, 1, 2, 1));
  EXPECT_EQ(out["state"], "waitingForResourceConfiguration");
  EXPECT_EQ(condition(out, "Ready"), "False Progressing");
  out = status(R"({"state": "ready", "observedGeneration": 4})", {}, deployment(1, 1, 2, 1));
  EXPECT_EQ(out["state"], "ready") << "replicas that come and go by themselves are nobody's concern";
  out = status(R"({"state": "ready", "observedGeneration": 4})", {}, deployment(1, 1, 1, 0));
  EXPECT_EQ(out["state"], "unhealthy") << "none answers";
  EXPECT_EQ(out["message"], "no replica answers");
}

TEST_F(StatusOf, KnowsTheWaysToZeroAndBack) {
  json::object out =
      status(R"({"state": "waitingForScaleResourceToZero"})", {.stage = Stage::complete}, deployment(0, 0, 1, 1), true);
  EXPECT_EQ(out["state"], "scaledToZero");
  EXPECT_EQ(out["scaleToZero"].at("lastScaleEvent"), "scaleToZeroCompleted");
  out = status(R"({"state": "waitingForScaleResourceFromZero"})", {}, deployment(1, 1, 1, 0));
  EXPECT_EQ(out["state"], "waitingForScaleResourceFromZero");
  out = status(R"({"state": "waitingForScaleResourceFromZero"})", {.stage = Stage::complete});
  EXPECT_EQ(out["state"], "ready");
  EXPECT_EQ(out["scaleToZero"].at("lastScaleEvent"), "scaleFromZeroCompleted");
}

TEST(InvalidStatus, SaysWhatIsWrong) {
  json::object function = object(R"({"metadata": {"generation": 2}, "status": {"logs": []}})");
  json::object out = invalid_status(function, "Invalid", "spec.replicas: must be a number", kNow);
  EXPECT_EQ(out["state"], "error");
  EXPECT_EQ(out["message"], "spec.replicas: must be a number");
  EXPECT_EQ(out["observedGeneration"], 2);
}

TEST(TrimPod, KeepsWhatARolloutIsReadFrom) {
  json::object whole = object(R"({"metadata": {"name": "p", "annotations": {"hash": "new"}},
    "spec": {"containers": [{"name": "nuclio", "image": "i:2", "env": [{"name": "A"}]}], "volumes": []},
    "status": {"phase": "Pending", "podIP": "1.2.3.4", "containerStatuses": [{"name": "nuclio",
      "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}})");
  trim_pod(whole);
  EXPECT_FALSE(whole["spec"].as_object().contains("volumes"));
  EXPECT_FALSE(whole["status"].as_object().contains("podIP"));
  auto kept = std::make_shared<const json::object>(whole);
  EXPECT_EQ(look(deployment(1, 1, 1, 0), {kept}).reason, "ImagePullBackOff");
}

TEST(Refused, IsRememberedUntilTheSpecChanges) {
  json::object function{{"metadata", {{"name", "resize"}, {"generation", 3}}}};
  EXPECT_FALSE(was_refused(function));
  function["status"] = invalid_status(function, kRefused, "no such field", {});
  EXPECT_TRUE(was_refused(function));
  function["metadata"].get_object()["generation"] = 4;
  EXPECT_FALSE(was_refused(function));
  function["status"] = invalid_status(function, "Invalid", "no handler", {});
  EXPECT_FALSE(was_refused(function));
}

TEST(ImageWanted, NamesTheBuilderThatWasLost) {
  const json::object function = object(R"({"metadata": {"name": "f", "namespace": "n", "generation": 3},
    "status": {"state": "building", "builder": {"id": "pod-a_x_1"}, "containerImage": "i:1"}})");
  json::object status = image_wanted(function, "pod-a_x_1", kNow);
  EXPECT_EQ(status["state"], "waitingForBuild");
  EXPECT_THAT(std::string(status["message"].as_string()), HasSubstr("pod-a_x_1"));
  EXPECT_FALSE(status.contains("builder")) << "it is nobody's until somebody says so";
  EXPECT_EQ(status["containerImage"], "i:1") << "the version before goes on";
  status = image_wanted(function, "", kNow);
  EXPECT_EQ(status["message"], "waits for a dashboard of the cluster to make its image");
}

TEST(CronLimited, IsToldOfAsLongAsItIsSo) {
  const json::object deployed = deployment(2, 2, 2, 2);
  const Rollout rollout{.stage = Stage::complete, .reason = "", .message = ""};
  const json::object function = object(R"({"metadata": {"name": "f", "namespace": "n", "generation": 1}})");
  spec::FunctionConfig config;
  config.metadata.name = "f";
  StatusInput input{.function = function,
                    .config = config,
                    .deployment = &deployed,
                    .rollout = rollout,
                    .external_addresses = {},
                    .ingress_urls = {},
                    .node_selector = {},
                    .cron_complaint = CronComplaint{"FiresInEachReplica", "why"},
                    .now = kNow};
  const json::object told = status_of(input);
  EXPECT_EQ(told.at("state"), "ready");
  EXPECT_EQ(told.at("message"), "");
  const json::object* condition = platform::kube::find_condition(told, platform::kube::kCronLimited);
  ASSERT_TRUE(condition);
  EXPECT_EQ(condition->at("status"), "True");
  EXPECT_EQ(condition->at("reason"), "FiresInEachReplica");
  EXPECT_EQ(condition->at("message"), "why");
  json::object after = function;
  after["status"] = told;
  StatusInput later{.function = after,
                    .config = config,
                    .deployment = &deployed,
                    .rollout = rollout,
                    .external_addresses = {},
                    .ingress_urls = {},
                    .node_selector = {},
                    .now = kNow};
  EXPECT_FALSE(platform::kube::find_condition(status_of(later), platform::kube::kCronLimited));
}

}  // namespace
}  // namespace nuclio::controller
