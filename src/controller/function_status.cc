// SPDX-License-Identifier: Apache-2.0
#include "controller/function_status.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "k8s/resource.h"
#include "platform/kube/conditions.h"
#include "platform/kube/names.h"
#include "platform/kube/objects.h"
#include "spec/invocation.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
namespace kube = platform::kube;
using namespace std::chrono_literals;
using spec::FunctionState;

// So long a pod may find no node before that counts as a failure: clusters grow.
constexpr auto kUnschedulableTime = 60s;

std::string_view text_at(const json::object& object, std::string_view dotted) {
  const json::value* value = k8s::at(object, dotted);
  if (!value || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

std::int64_t number_at(const json::object& object, std::string_view dotted, std::int64_t otherwise) {
  const json::value* value = k8s::at(object, dotted);
  return value && value->is_int64() ? value->get_int64() : otherwise;
}

const json::array* array_at(const json::object& object, std::string_view dotted) {
  const json::value* value = k8s::at(object, dotted);
  return value && value->is_array() ? &value->get_array() : nullptr;
}

// The entry of a list of conditions.
const json::object* condition(const json::object& object, std::string_view type) {
  const json::array* conditions = array_at(object, "status.conditions");
  if (!conditions) return nullptr;
  for (const json::value& each : *conditions)
    if (each.is_object() && text_at(each.get_object(), "type") == type) return &each.get_object();
  return nullptr;
}

bool is(const json::object* condition, std::string_view status) {
  return condition && text_at(*condition, "status") == status;
}

// Whether a pod was made of the Deployment's template as it is now.
bool is_newest(const json::object& pod, const json::object& deployment) {
  const json::value* wanted = k8s::at(deployment, "spec.template.metadata.annotations");
  if (wanted && wanted->is_object())
    for (const auto& [key, value] : wanted->get_object())
      if (!value.is_string() || k8s::annotation_of(pod, std::string_view(key.data(), key.size())) !=
                                    std::string_view(value.get_string().data(), value.get_string().size()))
        return false;
  const json::array* containers = array_at(deployment, "spec.template.spec.containers");
  const json::array* own = array_at(pod, "spec.containers");
  if (!containers || !own || containers->empty() || own->empty()) return true;
  return text_at(containers->front().get_object(), "image") == text_at(own->front().get_object(), "image");
}

struct Reason {
  std::string_view waiting;  // as the kubelet calls it
  Rollout::Stage stage;
  std::string_view text;
};
constexpr std::array kReasons{
    Reason{"ImagePullBackOff", Rollout::Stage::stuck, "its image cannot be pulled"},
    Reason{"InvalidImageName", Rollout::Stage::stuck, "its image has no valid name"},
    Reason{"ErrImageNeverPull", Rollout::Stage::stuck, "its image is not on the node, and must not be pulled"},
    Reason{"CreateContainerConfigError", Rollout::Stage::stuck, "its container cannot be configured"},
    Reason{"CreateContainerError", Rollout::Stage::stuck, "its container cannot be made"},
    Reason{"RunContainerError", Rollout::Stage::broken, "its container cannot be started"},
    Reason{"CrashLoopBackOff", Rollout::Stage::broken, "it ends again and again"},
};

std::string end_of(const json::object& container) {
  const json::value* ended = k8s::at(container, "lastState.terminated");
  if (!ended || !ended->is_object()) return {};
  const std::string_view why = text_at(ended->get_object(), "reason");
  return " (exit code " + std::to_string(number_at(ended->get_object(), "exitCode", 0)) +
         (why.empty() || why == "Error" ? "" : ", " + std::string(why)) + ")";
}

// What keeps one container from running, if something does.
std::optional<Rollout> hindrance(const json::object& pod, const json::object& container) {
  const std::string_view waiting = text_at(container, "state.waiting.reason");
  for (const Reason& reason : kReasons) {
    if (reason.waiting != waiting) continue;
    Rollout out{.stage = reason.stage, .reason = std::string(waiting)};
    const std::string_view detail = text_at(container, "state.waiting.message");
    out.message = "a new replica does not start: ";
    if (text_at(container, "name") != kube::kContainer)
      out.message += "container \"" + std::string(text_at(container, "name")) + "\": ";
    out.message += reason.text;
    if (waiting == "CrashLoopBackOff") {
      out.message += end_of(container);
      out.crashed_pod = k8s::name_of(pod).name;
    } else if (!detail.empty()) {
      out.message += ": " + std::string(detail);
    }
    return out;
  }
  return std::nullopt;
}

std::optional<Rollout> hindrance(const json::object& pod) {
  for (const char* list : {"status.initContainerStatuses", "status.containerStatuses"}) {
    const json::array* containers = array_at(pod, list);
    if (!containers) continue;
    for (const json::value& container : *containers) {
      if (!container.is_object()) continue;
      auto found = hindrance(pod, container.get_object());
      if (found) return found;
    }
  }
  return std::nullopt;
}

// A time as Kubernetes writes it, in seconds: "2026-01-31T12:00:00Z".
std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text) {
  std::tm when{};
  if (::strptime(std::string(text).c_str(), "%Y-%m-%dT%H:%M:%SZ", &when) == nullptr) return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&when));
}

std::optional<Rollout> homeless(const json::object& pod, std::chrono::system_clock::time_point now) {
  const json::object* scheduled = condition(pod, "PodScheduled");
  if (!is(scheduled, "False") || text_at(*scheduled, "reason") != "Unschedulable") return std::nullopt;
  const auto since = parse_time(text_at(*scheduled, "lastTransitionTime"));
  const auto waited = since ? now - *since : std::chrono::system_clock::duration{};
  if (waited < kUnschedulableTime) {
    Rollout waiting;
    waiting.look_again = kUnschedulableTime - waited;
    return waiting;
  }
  return Rollout{.stage = Rollout::Stage::stuck,
                 .reason = "Unschedulable",
                 .message = "a new replica finds no node: " + std::string(text_at(*scheduled, "message"))};
}

bool all_newest_answer(const json::object& deployment) {
  const std::int64_t wanted = number_at(deployment, "spec.replicas", 1);
  const std::int64_t updated = number_at(deployment, "status.updatedReplicas", 0);
  const std::int64_t total = number_at(deployment, "status.replicas", 0);
  const std::int64_t available = number_at(deployment, "status.availableReplicas", 0);
  // Replicas that are going need not be waited for when there are to be none.
  return wanted == 0 || (updated >= wanted && total == updated && available >= wanted);
}

void set_urls(json::object& status, const StatusInput& input) {
  const std::string& name = input.config.metadata.name;
  json::array internal;
  json::array external;
  std::int64_t port = 0;
  if (spec::http_trigger(input.config.spec)) {
    internal.push_back(
        json::value(kube::object_name(name) + "." + input.config.metadata.namespace_name + ".svc.cluster.local:8080"));
    if (input.service) {
      const json::array* ports = array_at(*input.service, "spec.ports");
      if (ports)
        for (const json::value& each : *ports)
          if (each.is_object() && text_at(each.get_object(), "name") == "http")
            port = number_at(each.get_object(), "nodePort", 0);
    }
    if (port != 0)
      for (const std::string& address : input.external_addresses)
        external.push_back(json::value(address + ":" + std::to_string(port)));
    for (const std::string& url : input.ingress_urls) external.push_back(json::value(url));
  }
  status["httpPort"] = port;
  status["internalInvocationUrls"] = std::move(internal);
  status["externalInvocationUrls"] = std::move(external);
}

void set_scale_event(json::object& status, const char* event, std::string_view now) {
  status["scaleToZero"] =
      json::object{{"lastScaleEvent", event}, {"lastScaleEventTime", json::string_view(now.data(), now.size())}};
}

json::object status_before(const json::object& function) {
  const json::value* status = function.if_contains("status");
  if (status && status->is_object()) return status->get_object();
  return {};
}

// Between two states that are being worked at and one that is reached: what Nuclio's clients wait for.
FunctionState next_state(const StatusInput& input, FunctionState before, bool same_generation) {
  switch (input.rollout.stage) {
    case Rollout::Stage::complete: return input.scaled_to_zero ? FunctionState::scaled_to_zero : FunctionState::ready;
    case Rollout::Stage::stuck: return FunctionState::unhealthy;
    case Rollout::Stage::broken:
      // What served before and broke by itself is unhealthy; what never served is an error of its author's.
      return same_generation && (before == FunctionState::ready || before == FunctionState::unhealthy)
                 ? FunctionState::unhealthy
                 : FunctionState::error;
    case Rollout::Stage::going_on: break;
  }
  const bool settled = spec::provisioned(before) && before != FunctionState::imported;
  if (!settled) return before == FunctionState::none ? FunctionState::waiting_for_resource_configuration : before;
  if (!same_generation) return FunctionState::waiting_for_resource_configuration;
  // Nothing was asked for: replicas come and go by themselves, or one has died.
  const std::int64_t available = input.deployment ? number_at(*input.deployment, "status.availableReplicas", 0) : 0;
  if (before == FunctionState::ready && available == 0) return FunctionState::unhealthy;
  return before;
}

FunctionState state_in(const json::object& status) {
  const std::string_view text = text_at(status, "state");
  for (const auto& choice : choices(FunctionState{}))
    if (choice.name == text) return choice.value;
  return FunctionState::none;
}

void set_conditions(json::object& status, const StatusInput& input, FunctionState state, std::string_view now) {
  const std::int64_t generation = k8s::generation_of(input.function);
  const Rollout& rollout = input.rollout;
  const bool good = state == FunctionState::ready || state == FunctionState::scaled_to_zero;
  const bool failed = rollout.stage == Rollout::Stage::stuck || rollout.stage == Rollout::Stage::broken;
  const std::string_view reason = good                                ? "Available"
                                  : failed                            ? std::string_view(rollout.reason)
                                  : state == FunctionState::unhealthy ? "Unavailable"
                                                                      : "Progressing";
  kube::set_condition(status, {kube::kBuilt, true, "ImageAvailable", input.config.spec.image}, generation, now);
  const bool deployed = rollout.stage == Rollout::Stage::complete;
  kube::set_condition(status,
                      {kube::kDeployed, deployed, deployed ? std::string_view("RolledOut") : reason, rollout.message},
                      generation, now);
  kube::set_condition(status, {kube::kReady, good, reason, rollout.message}, generation, now);
  if (failed)
    kube::set_condition(status, {kube::kStalled, true, rollout.reason, rollout.message}, generation, now);
  else
    kube::clear_condition(status, kube::kStalled);
}

}  // namespace

Rollout rollout_of(const RolloutInput& input) {
  if (!input.deployment) return {};
  const json::object& deployment = *input.deployment;
  if (number_at(deployment, "status.observedGeneration", 0) < k8s::generation_of(deployment)) return {};
  if (all_newest_answer(deployment)) return {.stage = Rollout::Stage::complete};
  Rollout out;
  if (!input.patient) {
    for (const k8s::Object& pod : input.pods) {
      if (k8s::being_deleted(*pod) || !is_newest(*pod, deployment)) continue;
      auto found = hindrance(*pod);
      if (!found) found = homeless(*pod, input.now);
      if (!found) continue;
      if (found->stage != Rollout::Stage::going_on) return *found;
      out = *found;
    }
  }
  const json::object* failure = condition(deployment, "ReplicaFailure");
  if (is(failure, "True"))
    return {.stage = Rollout::Stage::stuck,
            .reason = "ReplicaFailure",
            .message = "no replica can be made: " + std::string(text_at(*failure, "message"))};
  const json::object* progressing = condition(deployment, "Progressing");
  if (is(progressing, "False"))
    return {.stage = Rollout::Stage::stuck,
            .reason = "ReadinessTimeout",
            .message = "the new replicas were not ready in time (" + std::string(text_at(*progressing, "message")) +
                       "); readinessTimeoutSeconds allows for more"};
  return out;
}

void trim_pod(json::object& pod) {
  json::object spec;
  json::array containers;
  if (const json::array* own = array_at(pod, "spec.containers"))
    for (const json::value& each : *own)
      if (each.is_object())
        containers.push_back(json::object{{"name", std::string(text_at(each.get_object(), "name"))},
                                          {"image", std::string(text_at(each.get_object(), "image"))}});
  spec["containers"] = std::move(containers);
  json::object status;
  for (const char* kept : {"phase", "reason", "hostIP", "conditions", "containerStatuses", "initContainerStatuses"})
    if (const json::value* value = k8s::at(pod, std::string("status.") + kept)) status[kept] = *value;
  pod["spec"] = std::move(spec);
  pod["status"] = std::move(status);
}

json::object status_of(const StatusInput& input) {
  json::object status = status_before(input.function);
  const std::int64_t generation = k8s::generation_of(input.function);
  const FunctionState before = state_in(status);
  const bool same_generation = number_at(status, "observedGeneration", 0) == generation;
  const FunctionState state = next_state(input, before, same_generation);
  const std::string now = kube::rfc3339(input.now);
  const std::string_view word = schema::name_of(state);
  status["state"] = json::string_view(word.data(), word.size());
  const bool complains = state == FunctionState::error || state == FunctionState::unhealthy;
  std::string message = complains ? input.rollout.message : "";
  if (complains && message.empty())
    message = state == before ? std::string(text_at(status, "message")) : "no replica answers";
  const std::int64_t available = input.deployment ? number_at(*input.deployment, "status.availableReplicas", 0) : 0;
  constexpr std::string_view kOldServes = "\nThe version that was deployed before goes on serving.";
  if (complains && available > 0 && !message.ends_with(kOldServes)) message += kOldServes;
  status["message"] = message;
  status["replicas"] = available;
  status["selector"] = kube::selector_of(input.config.metadata.name);
  status["containerImage"] = input.config.spec.image;
  if (!input.node_selector.empty()) {
    json::object selector;
    for (const auto& [key, value] : input.node_selector) selector[key] = value;
    status["enrichedNodeSelector"] = std::move(selector);
  } else {
    status.erase("enrichedNodeSelector");
  }
  set_urls(status, input);
  // A replica that fails looks well between two failures: what it complained of stands until it is.
  const bool still = complains && state == before && same_generation && input.rollout.stage == Rollout::Stage::going_on;
  if (!still) set_conditions(status, input, state, now);
  if (const auto& complaint = input.cron_complaint)
    kube::set_condition(status, {kube::kCronLimited, true, complaint->reason, complaint->message}, generation, now);
  else
    kube::clear_condition(status, kube::kCronLimited);
  if (state != before) {
    if (state == FunctionState::ready)
      set_scale_event(
          status,
          before == FunctionState::waiting_for_scale_resource_from_zero ? "scaleFromZeroCompleted" : "resourceUpdated",
          now);
    if (state == FunctionState::scaled_to_zero) set_scale_event(status, "scaleToZeroCompleted", now);
  }
  status["observedGeneration"] = generation;
  return status;
}

json::object image_wanted(const json::object& function, std::string_view lost,
                          std::chrono::system_clock::time_point now) {
  json::object status = status_before(function);
  std::string text = "waits for a dashboard of the cluster to make its image";
  if (!lost.empty()) text += "; " + std::string(lost) + ", which was making it, is not heard of any more";
  status.erase(kube::kBuilder);
  const std::int64_t generation = k8s::generation_of(function);
  const std::string when = kube::rfc3339(now);
  status["state"] = "waitingForBuild";
  status["message"] = text;
  kube::set_condition(status, {kube::kBuilt, false, "WaitingForBuild", text}, generation, when);
  kube::set_condition(status, {kube::kReady, false, "WaitingForBuild", text}, generation, when);
  kube::clear_condition(status, kube::kStalled);
  status["observedGeneration"] = generation;
  return status;
}

json::object invalid_status(const json::object& function, std::string_view reason, std::string message,
                            std::chrono::system_clock::time_point now) {
  json::object status = status_before(function);
  const std::int64_t generation = k8s::generation_of(function);
  const std::string when = kube::rfc3339(now);
  status["state"] = "error";
  status["message"] = message;
  kube::set_condition(status, {kube::kReady, false, reason, message}, generation, when);
  kube::set_condition(status, {kube::kStalled, true, reason, message}, generation, when);
  status["observedGeneration"] = generation;
  return status;
}

bool was_refused(const json::object& function) {
  const json::object* ready = condition(function, kube::kReady);
  return text_at(function, "status.state") == "error" && ready && text_at(*ready, "reason") == kRefused &&
         number_at(function, "status.observedGeneration", 0) == k8s::generation_of(function);
}

}  // namespace nuclio::controller
