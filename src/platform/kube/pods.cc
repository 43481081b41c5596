// SPDX-License-Identifier: Apache-2.0
#include "platform/kube/pods.h"

#include <boost/json.hpp>
#include <vector>

#include "k8s/resource.h"
#include "platform/kube/conditions.h"
#include "platform/kube/names.h"

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;

// What trim_pod() notes, {"ready", "ports": {"http": 8080}}: a member that no pod has.
constexpr std::string_view kNoted = "nuclioNoted";

// Which pods are of one version: who makes them from the same template gives them the same.
constexpr std::string_view kTemplateLabel = "pod-template-hash";

std::string_view text_at(const json::object& object, std::string_view dotted) {
  const json::value* value = k8s::at(object, dotted);
  if (!value || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

bool says_ready(const json::object& pod) {
  const json::value* status = k8s::at(pod, "status");
  const json::object* ready = status && status->is_object() ? find_condition(status->get_object(), "Ready") : nullptr;
  return ready && text_at(*ready, "status") == "True";
}

// Of the function's own container: what is put beside it may call its ports the same.
json::object ports_of(const json::object& pod) {
  json::object out;
  const json::value* containers = k8s::at(pod, "spec.containers");
  if (!containers || !containers->is_array()) return out;
  for (const json::value& each : containers->get_array()) {
    if (!each.is_object() || text_at(each.get_object(), "name") != kContainer) continue;
    const json::value* ports = k8s::at(each.get_object(), "ports");
    if (!ports || !ports->is_array()) continue;
    for (const json::value& port : ports->get_array()) {
      if (!port.is_object()) continue;
      const json::value* number = k8s::at(port.get_object(), "containerPort");
      if (number && number->is_int64()) out[text_at(port.get_object(), "name")] = *number;
    }
  }
  return out;
}

const json::value* noted(const json::object& pod, std::string_view what) {
  return k8s::at(pod, std::string(kNoted) + "." + std::string(what));
}

}  // namespace

void trim_pod(json::object& pod) {
  if (pod.contains(kNoted)) return;
  pod[kNoted] = json::object{{"ready", says_ready(pod)}, {"ports", ports_of(pod)}};
  json::object status;
  for (const char* name : {"phase", "podIP"})
    if (const json::value* value = k8s::at(pod, "status." + std::string(name))) status[name] = *value;
  pod.erase("spec");
  pod["status"] = std::move(status);
}

std::string address_of(const json::object& pod, std::string_view port) {
  if (text_at(pod, "status.phase") != "Running" || k8s::being_deleted(pod)) return {};
  const std::string host{text_at(pod, "status.podIP")};
  const json::value* number = noted(pod, "ports." + std::string(port));
  if (host.empty() || !number) return {};
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(number->as_int64());
}

std::string address_to_invoke(std::span<const k8s::Object> pods, std::size_t turn) {
  struct Serving {
    std::string_view version;
    std::string address;
  };
  std::vector<Serving> serving;
  std::string_view newest;
  std::string_view newest_was_made;  // RFC 3339, as Kubernetes writes it, in UTC: text that is sorted by time
  for (const k8s::Object& pod : pods) {
    const json::value* ready = noted(*pod, "ready");
    if (!ready || *ready != json::value(true)) continue;
    std::string address = address_of(*pod, "http");
    if (address.empty()) continue;
    serving.push_back({k8s::label_of(*pod, kTemplateLabel), std::move(address)});
    const std::string_view made = k8s::text_in(*pod, "creationTimestamp");
    if (made < newest_was_made) continue;
    newest_was_made = made;
    newest = serving.back().version;
  }
  std::erase_if(serving, [&](const Serving& each) { return each.version != newest; });
  return serving.empty() ? std::string() : serving[turn % serving.size()].address;
}

}  // namespace nuclio::platform::kube
