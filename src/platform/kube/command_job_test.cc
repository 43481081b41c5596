// SPDX-License-Identifier: Apache-2.0
#include "platform/kube/command_job.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "base/test_folder.h"
#include "builder/commands_server.h"
#include "http/server.h"
#include "k8s/test_api_server.h"
#include "platform/kube/names.h"

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

CommandJobOwner owner() { return {{Namespace{"media"}, FunctionName{"resize"}}, "11-22", ProjectName{"pictures"}}; }

TEST(CommandJobObject, MeetsTheRestrictedStandardAndHasNothingOfOurs) {
  CommandJobOptions options{.image = "local/dashboard:1", .program = "/usr/local/bin/builder"};
  options.service_account = "nuclio-builder";
  options.resources = json::parse(R"({"limits": {"memory": "1Gi"}})").as_object();
  const json::object job = job_object(options, owner(), "nuclio-build-resize-x", 90s);
  EXPECT_EQ(job, json::parse(R"({
    "metadata": {
      "name": "nuclio-build-resize-x", "namespace": "media",
      "labels": {"nuclio.io/class": "build", "nuclio.io/app": "build", "nuclio.io/function-name": "resize",
                 "nuclio.io/project-name": "pictures"},
      "ownerReferences": [{"apiVersion": "nuclio.io/v1", "kind": "NuclioFunction", "name": "resize", "uid": "11-22"}]
    },
    "spec": {
      "backoffLimit": 0, "activeDeadlineSeconds": 150, "ttlSecondsAfterFinished": 60,
      "template": {
        "metadata": {"labels": {"nuclio.io/class": "build", "nuclio.io/app": "build",
                                "nuclio.io/function-name": "resize", "nuclio.io/project-name": "pictures"}},
        "spec": {
          "restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false,
          "terminationGracePeriodSeconds": 5, "serviceAccountName": "nuclio-builder",
          "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
                              "seccompProfile": {"type": "RuntimeDefault"}},
          "containers": [{
            "name": "builder", "image": "local/dashboard:1", "command": ["/usr/local/bin/builder"],
            "args": ["serve", "--listen-addr=:8070", "--token-file=/run/nuclio/token", "--folder=/work/job",
                     "--timeout=1m30s"],
            "ports": [{"name": "serve", "containerPort": 8070}],
            "resources": {"limits": {"memory": "1Gi"}},
            "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                                "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "work", "mountPath": "/work", "readOnly": false},
                             {"name": "tmp", "mountPath": "/tmp", "readOnly": false},
                             {"name": "token", "mountPath": "/run/nuclio", "readOnly": true}]
          }],
          "volumes": [{"name": "work", "emptyDir": {"sizeLimit": "40Gi"}},
                      {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
                      {"name": "token", "secret": {"secretName": "nuclio-build-resize-x", "defaultMode": 288}}]
        }
      }
    }
  })"));
}

TEST(CommandJobPod, SaysWhereItServesOrWhyNot) {
  const auto news = [](const char* status) {
    json::object pod;
    pod["status"] = json::parse(status);
    return news_of(pod);
  };
  EXPECT_EQ(news(R"({"phase": "Pending"})").waits_for, "");
  EXPECT_EQ(news(R"({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
                     "reason": "Unschedulable", "message": "0/1 nodes are available"}]})")
                .waits_for,
            "no node takes it: Unschedulable: 0/1 nodes are available");
  EXPECT_EQ(news(R"({"phase": "Pending", "containerStatuses": [{"state": {"waiting":
                     {"reason": "ContainerCreating"}}}]})")
                .waits_for,
            "");
  const PodNews image = news(R"({"phase": "Pending", "containerStatuses": [{"state": {"waiting":
                     {"reason": "ErrImagePull", "message": "not found"}}}]})");
  EXPECT_EQ(image.waits_for, "its image cannot be pulled: ErrImagePull: not found");
  EXPECT_TRUE(image.lasting);
  EXPECT_EQ(
      news(R"({"phase": "Running", "podIP": "10.1.2.3", "containerStatuses": [{"state": {"running": {}}}]})").address,
      "10.1.2.3");
  EXPECT_EQ(news(R"({"phase": "Failed", "reason": "Evicted", "message": "too much on disk"})").ended,
            "Evicted: too much on disk");
  EXPECT_EQ(news(R"({"phase": "Failed", "containerStatuses": [{"state": {"terminated":
                     {"reason": "OOMKilled", "exitCode": 137}}}]})")
                .ended,
            "its container exited with code 137 (OOMKilled)");
}

class EchoSandbox final : public builder::CommandsSandbox {
 public:
  std::string_view kind() const override { return builder::kProot; }
  Task<Result<builder::SandboxOutcome>> run(const builder::SandboxJob&, const Output& output, Deadline) override {
    output.log("RUN true\n");
    if (auto done = output.tar("the tar"); !done) co_return fail(done.error());
    co_return builder::SandboxOutcome{};
  }
};

class CommandJobs : public testing::Test, protected k8s::TestApi {
 protected:
  using Objects = std::map<k8s::ObjectName, json::object>;
  const Objects& jobs() { return server.stored["/apis/batch/v1/jobs"]; }
  const Objects& secrets() { return server.stored["/api/v1/secrets"]; }
  const Objects& pods() { return server.stored["/api/v1/pods"]; }

  // What Kubernetes does for a Job.
  Task<void> start_pod(std::string status) {
    co_await http::until(loop(), [this] { return !secrets().empty(); });
    builder::CommandsServerOptions options;
    options.folder = folder_.path();
    options.token = std::string(secrets().begin()->second.at("stringData").at("token").as_string());
    commands_.emplace(loop(), sandbox_, std::move(options));
    http::Limits limits;
    http_.emplace(loop(), limits, *commands_);
    http_->serve(std::move(*listener_));
    json::object pod;
    pod["status"] = json::parse(status);
    server.set(k8s::kPods, {"media", "pod"}, std::move(pod));
  }
  Result<builder::SandboxOutcome> run_job(const std::string& status, Deadline deadline = Deadline::in(20s)) {
    options_.port = listener_->address().port;
    options_.start_time = 1s;
    Group kubernetes{loop()};
    if (!status.empty()) kubernetes.spawn(start_pod(status));
    CommandJob job{loop(), api, client, clearing_, options_, owner()};
    builder::CommandsSandbox::Output output;
    output.log = [this](std::string_view bytes) { log_ += bytes; };
    output.tar = [this](std::string_view bytes) -> Result<void> {
      tar_ += bytes;
      return {};
    };
    const builder::SandboxJob what{.job = {.commands = {"true"}}};
    auto outcome = run(job.run(what, output, deadline));
    // It is deleted by itself.
    until([this] { return jobs().empty() && clearing_.size() == 0; });
    return outcome;
  }

  TestFolder folder_;
  std::optional<Listener> listener_ = *Listener::listen(loop(), {.host = "127.0.0.1", .port = 0, .unix_path = ""});
  EchoSandbox sandbox_;
  std::optional<builder::CommandsServer> commands_;
  std::optional<http::Server> http_;
  Group clearing_{loop()};
  CommandJobOptions options_{.image = "local/dashboard:1", .program = "/usr/local/bin/builder"};
  std::string log_;
  std::string tar_;
};

TEST_F(CommandJobs, RunCommandsInAPodAndLeaveNothing) {
  auto outcome =
      run_job(R"({"phase": "Running", "podIP": "127.0.0.1", "containerStatuses": [{"state": {"running": {}}}]})");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_FALSE(outcome->error);
  EXPECT_THAT(log_, AllOf(StartsWith("Running the commands in the Job nuclio-build-resize-"), HasSubstr("RUN true")));
  EXPECT_EQ(tar_, "the tar");
  EXPECT_EQ(server.count("DELETE", "/apis/batch/v1/namespaces/media/jobs/nuclio-build-resize-"), 1U);
  const json::object& secret = secrets().begin()->second;
  EXPECT_EQ(secret.at("metadata").at("ownerReferences").at(0).at("kind"), "Job");
}

TEST_F(CommandJobs, SayWhyTheirPodDoesNotStart) {
  auto outcome = run_job(R"({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
                             "reason": "Unschedulable", "message": "0/1 nodes are available"}]})");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().why, Why::unavailable);
  EXPECT_THAT(outcome.error().what, HasSubstr("did not start: no node takes it: Unschedulable: 0/1 nodes"));
  EXPECT_THAT(log_, HasSubstr("The pod of the commands waits: no node takes it"));
}

TEST_F(CommandJobs, SayWhyTheirPodEnded) {
  auto outcome = run_job(R"({"phase": "Failed", "reason": "Evicted", "message": "too much on disk"})");
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().what, HasSubstr("ended: Evicted: too much on disk"));
}

TEST_F(CommandJobs, SayThatTheyMayNotBeMade) {
  server.instead = [](const k8s::Asked& asked) -> std::optional<http::Response> {
    if (asked.method != "POST") return std::nullopt;
    return http::Response::json(403, k8s::TestApiServer::status(403, "jobs.batch is forbidden: quota"));
  };
  auto outcome = run_job("");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().why, Why::forbidden);
  EXPECT_THAT(outcome.error().what, AllOf(HasSubstr("making a Job for spec.build.commands"), HasSubstr("quota")));
}

TEST_F(CommandJobs, SayWhatTheirJobSaysThatMayHaveNoPod) {
  json::object event;
  event["reason"] = "FailedCreate";
  event["message"] = "pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\"";
  server.set({"", "v1", "events", "Event"}, {"media", "event"}, std::move(event));
  options_.refused_time = 0s;
  auto outcome = run_job("");
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().what, HasSubstr("did not start: pods \"x\" is forbidden: violates PodSecurity"));
}

TEST_F(CommandJobs, EndAtTheDeadline) {
  auto outcome = run_job(R"({"phase": "Pending"})", Deadline::in(300ms));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().why, Why::timeout);
}

}  // namespace
}  // namespace nuclio::platform::kube
