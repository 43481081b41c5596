// SPDX-License-Identifier: Apache-2.0
#include "platform/kube/command_job.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/check.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/random_text.h"
#include "builder/remote_sandbox.h"
#include "platform/kube/names.h"

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kCallTime = 30s;
constexpr auto kLook = 300ms;    // between two looks at a pod that starts
constexpr auto kPatience = 30s;  // with what seldom passes by itself
constexpr auto kToDelete = 60s;
constexpr auto kAfterDeadline = 60s;  // the pod ends by itself at its deadline; later Kubernetes ends it
constexpr int kKeptSeconds = 60;      // of a Job that has ended and that nobody deleted
constexpr std::string_view kWork = "/work";
constexpr std::string_view kTokenFolder = "/run/nuclio";
constexpr std::string_view kToken = "token";
constexpr std::string_view kDisk = "40Gi";
constexpr std::size_t kMostOfName = 40;  // of the function's, in names that have 63 at most
constexpr int kNobody = 65532;           // as our images have it

// The core's, which may be asked for by object.
constexpr k8s::Resource kCoreEvents{"", "v1", "events", "Event"};

// What nobody guesses.
std::string new_token() {
  std::array<unsigned char, 32> bytes{};
  CHECK(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::string job_name(const CommandJobOwner& owner) {
  std::string function = owner.function.name.value().substr(0, kMostOfName);
  return "nuclio-build-" + function + "-" + random_text(8);
}

json::object labels_of(const CommandJobOwner& owner) {
  json::object labels;
  labels[kClassLabel] = "build";
  labels[kAppLabel] = "build";
  labels[kFunctionLabel] = owner.function.name.value();
  labels[kProjectLabel] = owner.project.value();
  return labels;
}

json::object metadata_of(const CommandJobOwner& owner, std::string_view name, json::object owned_by) {
  json::object metadata;
  metadata["name"] = name;
  metadata["namespace"] = owner.function.namespace_name.value();
  metadata["labels"] = labels_of(owner);
  metadata["ownerReferences"] = json::array{std::move(owned_by)};
  return metadata;
}

json::object reference(const k8s::Resource& resource, std::string_view name, std::string_view uid) {
  json::object out;
  out["apiVersion"] = resource.api_version();
  out["kind"] = resource.kind;
  out["name"] = name;
  out["uid"] = uid;
  return out;
}

json::object mount(std::string_view name, std::string_view path, bool read_only) {
  return {{"name", name}, {"mountPath", path}, {"readOnly", read_only}};
}

json::object container_of(const CommandJobOptions& options, std::chrono::seconds timeout) {
  json::array arguments{"serve", "--listen-addr=:" + std::to_string(options.port),
                        "--token-file=" + std::string(kTokenFolder) + "/" + std::string(kToken),
                        "--folder=" + std::string(kWork) + "/job", "--timeout=" + format_duration(timeout)};
  json::object container;
  container["name"] = "builder";
  container["image"] = options.image;
  container["command"] = json::array{options.program};
  container["args"] = std::move(arguments);
  container["ports"] = json::array{json::object{{"name", "serve"}, {"containerPort", options.port}}};
  container["resources"] = options.resources;
  container["securityContext"] = json::object{{"allowPrivilegeEscalation", false},
                                              {"readOnlyRootFilesystem", true},
                                              {"capabilities", json::object{{"drop", json::array{"ALL"}}}}};
  container["volumeMounts"] =
      json::array{mount("work", kWork, false), mount("tmp", "/tmp", false), mount("token", kTokenFolder, true)};
  return container;
}

json::object pod_of(const CommandJobOptions& options, std::string_view name, std::chrono::seconds timeout) {
  json::object pod;
  pod["restartPolicy"] = "Never";
  pod["automountServiceAccountToken"] = false;
  pod["enableServiceLinks"] = false;
  pod["terminationGracePeriodSeconds"] = 5;
  if (!options.service_account.empty()) pod["serviceAccountName"] = options.service_account;
  if (!options.pull_secret.empty()) pod["imagePullSecrets"] = json::array{json::object{{"name", options.pull_secret}}};
  pod["securityContext"] = json::object{{"runAsNonRoot", true},
                                        {"runAsUser", kNobody},
                                        {"runAsGroup", kNobody},
                                        {"fsGroup", kNobody},
                                        {"seccompProfile", json::object{{"type", "RuntimeDefault"}}}};
  pod["containers"] = json::array{container_of(options, timeout)};
  const json::object secret{{"secretName", name}, {"defaultMode", 0440}};
  // proot writes to no other place for temporary files.
  pod["volumes"] = json::array{json::object{{"name", "work"}, {"emptyDir", json::object{{"sizeLimit", kDisk}}}},
                               json::object{{"name", "tmp"}, {"emptyDir", json::object{{"sizeLimit", "1Gi"}}}},
                               json::object{{"name", "token"}, {"secret", secret}}};
  return pod;
}

std::string text_at(const json::object& object, std::string_view path) {
  const json::value* found = k8s::at(object, path);
  return found && found->is_string() ? std::string(found->get_string()) : "";
}

// "ImagePullBackOff: Back-off pulling image …", or what there is of it.
std::string reason_in(const json::object& object) {
  const std::string reason = text_at(object, "reason");
  const std::string message = text_at(object, "message");
  return reason.empty() || message.empty() ? reason + message : reason + ": " + message;
}

const json::object* container_state(const json::object& pod, std::string_view state) {
  const json::value* all = k8s::at(pod, "status.containerStatuses");
  if (!all || !all->is_array() || all->get_array().empty() || !all->get_array().front().is_object()) return nullptr;
  const json::value* found = k8s::at(all->get_array().front().get_object(), "state." + std::string(state));
  return found ? found->if_object() : nullptr;
}

bool is_about_image(std::string_view reason) {
  constexpr std::array kReasons{"ErrImagePull",      "ImagePullBackOff",  "InvalidImageName",
                                "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable"};
  return std::ranges::find(kReasons, reason) != kReasons.end();
}

Task<void> remove_job(Loop& loop, k8s::Api& api, k8s::ObjectName name) {
  const Deadline deadline = Deadline::in(kToDelete);
  for (auto pause = 500ms;; pause *= 2) {
    const auto removed = co_await api.remove(k8s::kJobs, name, {}, earlier(Deadline::in(kCallTime), deadline));
    if (removed) co_return;
    if (deadline.passed() || removed.error().why == Why::forbidden) {
      log::warn("A Job could not be deleted; it goes by itself once it has ended",
                {{"job", name.text()}, {"reason", removed.error().what}});
      co_return;
    }
    co_await loop.sleep(pause);
  }
}

}  // namespace

json::object job_object(const CommandJobOptions& options, const CommandJobOwner& owner, std::string_view name,
                        std::chrono::seconds timeout) {
  json::object pod_metadata;
  pod_metadata["labels"] = labels_of(owner);
  json::object pod;
  pod["metadata"] = std::move(pod_metadata);
  pod["spec"] = pod_of(options, name, timeout);
  json::object spec;
  spec["backoffLimit"] = 0;
  spec["activeDeadlineSeconds"] = (timeout + kAfterDeadline).count();
  spec["ttlSecondsAfterFinished"] = kKeptSeconds;
  spec["template"] = std::move(pod);
  json::object job;
  job["metadata"] = metadata_of(owner, name, reference(kFunctions, owner.function.name.value(), owner.uid));
  job["spec"] = std::move(spec);
  return job;
}

json::object token_secret(const CommandJobOwner& owner, std::string_view job, std::string_view job_uid,
                          std::string_view token) {
  json::object data;
  data[kToken] = token;
  json::object secret;
  secret["metadata"] = metadata_of(owner, job, reference(k8s::kJobs, job, job_uid));
  secret["type"] = "Opaque";
  secret["stringData"] = std::move(data);
  return secret;
}

PodNews news_of(const json::object& pod) {
  PodNews news;
  const std::string phase = text_at(pod, "status.phase");
  if (phase == "Failed" || phase == "Succeeded") {
    const json::value* status = k8s::at(pod, "status");
    news.ended = status && status->is_object() ? reason_in(status->get_object()) : "";
    if (const json::object* ended = container_state(pod, "terminated"); ended && news.ended.empty()) {
      const json::value* code = ended->if_contains("exitCode");
      news.ended = "its container exited with code " +
                   std::to_string(code && code->is_int64() ? code->get_int64() : 0) + " (" + reason_in(*ended) + ")";
    }
    if (news.ended.empty()) news.ended = "it ended";
    return news;
  }
  if (container_state(pod, "running")) {
    news.address = text_at(pod, "status.podIP");
    return news;
  }
  if (const json::object* waiting = container_state(pod, "waiting")) {
    const std::string reason = text_at(*waiting, "reason");
    if (is_about_image(reason)) {
      news.waits_for = "its image cannot be pulled: " + reason_in(*waiting);
      news.lasting = true;
    } else if (reason != "ContainerCreating" && reason != "PodInitializing") {
      news.waits_for = reason_in(*waiting);
    }
    return news;
  }
  const json::value* conditions = k8s::at(pod, "status.conditions");
  if (!conditions || !conditions->is_array()) return news;
  for (const json::value& each : conditions->get_array()) {
    const json::object* condition = each.if_object();
    if (condition && text_at(*condition, "type") == "PodScheduled" && text_at(*condition, "status") == "False")
      news.waits_for = "no node takes it: " + reason_in(*condition);
  }
  return news;
}

// Deletes the Job, and with it all that is its, when it is no longer needed, on every path.
class CommandJob::Clearing {
 public:
  Clearing(CommandJob& job, k8s::ObjectName name) : job_(job), name_(std::move(name)) {}
  Clearing(const Clearing&) = delete;
  ~Clearing() { job_.clearing_.spawn(remove_job(job_.loop_, job_.api_, std::move(name_))); }

 private:
  CommandJob& job_;
  k8s::ObjectName name_;
};

std::string_view CommandJob::kind() const { return builder::kProot; }

// The life of a Job.
Task<Result<builder::SandboxOutcome>> CommandJob::run(const builder::SandboxJob& job, const Output& output,
                                                      Deadline deadline) {
  const std::string name = job_name(owner_);
  const std::string token = new_token();
  const Clearing clearing{*this, {owner_.function.namespace_name.value(), name}};
  auto made = co_await make(name, token, deadline);
  if (!made) co_return fail(std::move(made).error().in("making a Job for spec.build.commands"));
  output.log("Running the commands in the Job " + name + "\n");
  auto address = co_await wait_for_pod(name, output, deadline);
  if (!address) co_return fail(std::move(address).error());
  builder::RemoteSandbox remote{client_, *address, token};
  auto outcome = co_await remote.run(job, output, deadline);
  if (outcome || outcome.error().why == Why::timeout || deadline.passed()) co_return outcome;
  const auto news = co_await look(name, Deadline::in(kCallTime));
  if (news && !news->ended.empty())
    co_return fail(Why::unavailable, "the pod of spec.build.commands ended: " + news->ended);
  co_return fail(std::move(outcome).error().in("running spec.build.commands in a Job"));
}

Task<Result<void>> CommandJob::make(std::string job, std::string token, Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::seconds>(deadline.is_never() ? 24h : deadline.left());
  const Deadline soon = earlier(Deadline::in(kCallTime), deadline);
  CO_TRY(const json::object made, co_await api_.create(k8s::kJobs, job_object(options_, owner_, job, left), soon));
  // Its pod waits for it.
  json::object secret = token_secret(owner_, job, k8s::uid_of(made), token);
  CO_TRY_DO(co_await api_.create(k8s::kSecrets, std::move(secret), soon));
  co_return Result<void>{};
}

// Nothing is known of a Job that has no pod.
Task<Result<PodNews>> CommandJob::look(std::string job, Deadline deadline) {
  k8s::ListOptions options;
  options.label_selector = "job-name=" + job;
  const std::string& in = owner_.function.namespace_name.value();
  CO_TRY(const auto pods, co_await api_.list(k8s::kPods, in, std::move(options), deadline));
  if (pods.items.empty()) co_return PodNews{};
  PodNews news = news_of(pods.items.front());
  if (news.waits_for.empty() && news.address.empty() && news.ended.empty()) news.waits_for = "it is starting";
  co_return news;
}

// Why a Job has no pod, as far as its events say.
Task<std::string> CommandJob::refusal(std::string job, Deadline deadline) {
  k8s::ListOptions options;
  options.field_selector = "involvedObject.kind=Job,involvedObject.name=" + job;
  const std::string& in = owner_.function.namespace_name.value();
  const auto events = co_await api_.list(kCoreEvents, in, std::move(options), deadline);
  if (!events) co_return "";
  for (const json::object& event : events->items)
    if (text_at(event, "reason") == "FailedCreate") co_return text_at(event, "message");
  co_return "";
}

// Returns where it serves.
Task<Result<std::string>> CommandJob::wait_for_pod(std::string job, const Output& output, Deadline deadline) {
  const SteadyTime began = std::chrono::steady_clock::now();
  const Deadline last = earlier(Deadline::at(began + options_.start_time), deadline);
  std::string waits_for;
  SteadyTime since = began;  // it waits for that
  while (!last.passed()) {
    const Deadline soon = earlier(Deadline::in(kCallTime), last);
    auto looked = co_await look(job, soon);
    if (!looked && looked.error().why == Why::forbidden) co_return fail(std::move(looked).error());
    PodNews news = looked ? std::move(*looked) : PodNews{};
    const SteadyTime now = std::chrono::steady_clock::now();
    if (!news.ended.empty()) co_return fail(Why::unavailable, "the pod of spec.build.commands ended: " + news.ended);
    if (!news.address.empty()) {
      const bool is_ipv6 = news.address.find(':') != std::string::npos;
      std::string url =
          "http://" + (is_ipv6 ? "[" + news.address + "]" : news.address) + ":" + std::to_string(options_.port);
      http::ClientRequest ready;
      ready.url = url + "/ready";
      ready.protocol = http::Protocol::http1;
      const auto answer = co_await client_.fetch(std::move(ready), earlier(Deadline::in(5s), last));
      if (answer && answer->status == 200) co_return url;
      news.waits_for = answer ? "it answers " + std::to_string(answer->status) : answer.error().what;
    }
    if (looked && news.waits_for.empty() && now - began > options_.refused_time) {
      news.waits_for = co_await refusal(job, soon);
      news.lasting = !news.waits_for.empty();
    }
    // What could not be found out this time is as it was.
    if (!news.waits_for.empty() && news.waits_for != waits_for) {
      waits_for = news.waits_for;
      since = now;
      output.log("The pod of the commands waits: " + waits_for + "\n");
    }
    if (news.lasting && now - since > kPatience) break;
    co_await loop_.sleep(kLook);
  }
  if (deadline.passed()) co_return fail(Why::timeout, "the pod of spec.build.commands did not start in time");
  co_return fail(Why::unavailable, "the pod of spec.build.commands did not start: " +
                                       (waits_for.empty() ? "Kubernetes has made none for its Job" : waits_for));
}

}  // namespace nuclio::platform::kube
