// SPDX-License-Identifier: Apache-2.0
#include "nuctl/pull_probe.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <optional>

#include "k8s/json.h"
#include "loop/group.h"
#include "loop/signals.h"

namespace nuclio::nuctl {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kPatience = 5s;
constexpr auto kUntilPulled = 60s;
constexpr auto kBetweenLooks = 300ms;

// It meets Pod Security "restricted". Its program does not exist, so that whatever the image is, nothing of it runs;
// and it ends by itself should we die before we delete it.
json::object pod_of(const Examined& at, const std::string& image) {
  json::object container = json::parse(R"({
    "name": "pulled",
    "command": ["/nothing/is/to/run"],
    "imagePullPolicy": "Always",
    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "100m", "memory": "32Mi"}},
    "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}
  })")
                               .as_object();
  container["image"] = image;
  json::object spec = json::parse(R"({
    "restartPolicy": "Never",
    "activeDeadlineSeconds": 90,
    "terminationGracePeriodSeconds": 0,
    "automountServiceAccountToken": false,
    "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
  })")
                          .as_object();
  spec["containers"] = json::array{std::move(container)};
  json::object labels{{"nuclio.io/app", "doctor"}};
  json::object metadata{
      {"generateName", "nuclio-doctor-"}, {"namespace", at.name_space}, {"labels", std::move(labels)}};
  return {{"metadata", std::move(metadata)}, {"spec", std::move(spec)}};
}

const json::object* first_container(const json::object& pod) {
  const json::value* all = k8s::at(pod, "status.containerStatuses");
  if (!all || !all->is_array() || all->get_array().empty()) return nullptr;
  return all->get_array().front().if_object();
}

std::string scheduling_problem(const json::object& pod) {
  const json::value* conditions = k8s::at(pod, "status.conditions");
  if (!conditions || !conditions->is_array()) return "";
  for (const json::value& each : conditions->get_array())
    if (const json::object* condition = each.if_object(); condition &&
                                                          k8s::text_of(*condition, "type") == "PodScheduled" &&
                                                          k8s::text_of(*condition, "status") == "False")
      return std::string(k8s::text_of(*condition, "message"));
  return "";
}

// What the pod says, nothing while it says nothing of its image yet.
std::optional<Finding> judge(const json::object& pod, const std::string& image) {
  const json::object* container = first_container(pod);
  if (!container) return {};
  if (!k8s::text_of(*container, "imageID").empty()) {
    const json::value* node = k8s::at(pod, "spec.nodeName");
    return well(image + (node && node->is_string() ? " on node " + std::string(node->get_string()) : ""));
  }
  const json::value* waiting = k8s::at(*container, "state.waiting");
  if (!waiting || !waiting->is_object()) return {};
  const std::string_view reason = k8s::text_of(waiting->get_object(), "reason");
  if (reason != "ErrImagePull" && reason != "ImagePullBackOff" && reason != "InvalidImageName" &&
      reason != "ImageInspectError" && reason != "RegistryUnavailable")
    return {};
  return wrong(fmt::format("{}: {}: {}", image, reason, k8s::text_of(waiting->get_object(), "message")),
               "nodes must reach the registry, trust its certificate, and have a login: imagePullSecrets of the "
               "namespace's service account \"default\"");
}

Task<void> note_signal(Signals& signals, bool& interrupted) {
  (void)co_await signals.next();
  interrupted = true;
}

Task<Finding> wait_for_verdict(Examined& at, k8s::ObjectName name, std::string image, const bool& interrupted) {
  const Deadline until = Deadline::in(kUntilPulled);
  std::string waits = "no node has said anything of it";
  while (!until.passed() && !interrupted) {
    auto pod = co_await at.api.get(k8s::kPods, name, Deadline::in(kPatience));
    if (!pod && pod.error().why != Why::unavailable && pod.error().why != Why::timeout)
      co_return wrong(pod.error(), "run it again");
    if (pod) {
      if (auto finding = judge(*pod, image)) co_return std::move(*finding);
      if (std::string problem = scheduling_problem(*pod); !problem.empty()) waits = "no node takes its pod: " + problem;
    }
    co_await at.loop.sleep(kBetweenLooks);
  }
  if (interrupted) co_return wrong("interrupted", "run it again");
  co_return wrong(fmt::format("{} was not pulled within {} s: {}", image, kUntilPulled.count(), waits),
                  "kubectl -n " + at.name_space + " get events");
}

}  // namespace

Task<Finding> probe_pull(Examined& at, std::string image) {
  Signals signals{at.loop, {SIGINT, SIGTERM}};
  bool interrupted = false;
  Group group{at.loop};
  group.spawn(note_signal(signals, interrupted));
  json::object wanted = pod_of(at, image);
  auto made = co_await at.api.create(k8s::kPods, std::move(wanted), Deadline::in(kPatience));
  if (!made) co_return wrong(made.error(), "pods must be allowed to be made in " + at.name_space);
  const k8s::ObjectName name = k8s::name_of(*made);
  Finding finding = co_await wait_for_verdict(at, name, std::move(image), interrupted);
  const k8s::DeleteOptions at_once;
  auto removed = co_await at.api.remove(k8s::kPods, name, at_once, Deadline::in(kPatience));
  if (!removed && finding.outcome == Outcome::ok)
    co_return wrong(removed.error(), "kubectl -n " + at.name_space + " delete pod " + name.name);
  co_return finding;
}

}  // namespace nuclio::nuctl
