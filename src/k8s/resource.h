// SPDX-License-Identifier: Apache-2.0
// Kinds of objects by the names that the API server has for them, and what every object has.
#pragma once
#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace nuclio::k8s {

struct Resource {
  std::string_view group;  // "" for the core
  std::string_view version;
  std::string_view plural;
  std::string_view kind;
  bool namespaced = true;

  std::string api_version() const;  // "apps/v1", "v1"
  friend bool operator==(const Resource&, const Resource&) = default;
};

inline constexpr Resource kNamespaces{"", "v1", "namespaces", "Namespace", false};
inline constexpr Resource kNodes{"", "v1", "nodes", "Node", false};
inline constexpr Resource kPods{"", "v1", "pods", "Pod"};
inline constexpr Resource kServices{"", "v1", "services", "Service"};
inline constexpr Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
inline constexpr Resource kSecrets{"", "v1", "secrets", "Secret"};
inline constexpr Resource kServiceAccounts{"", "v1", "serviceaccounts", "ServiceAccount"};
inline constexpr Resource kDeployments{"apps", "v1", "deployments", "Deployment"};
inline constexpr Resource kReplicaSets{"apps", "v1", "replicasets", "ReplicaSet"};
inline constexpr Resource kControllerRevisions{"apps", "v1", "controllerrevisions", "ControllerRevision"};
inline constexpr Resource kJobs{"batch", "v1", "jobs", "Job"};
inline constexpr Resource kCronJobs{"batch", "v1", "cronjobs", "CronJob"};
inline constexpr Resource kAutoscalers{"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"};
inline constexpr Resource kIngresses{"networking.k8s.io", "v1", "ingresses", "Ingress"};
inline constexpr Resource kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr Resource kEvents{"events.k8s.io", "v1", "events", "Event"};
inline constexpr Resource kCrds{"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition",
                                false};

// Which object of a kind. `namespace_name` is "" for kinds that are in none.
struct ObjectName {
  std::string namespace_name;
  std::string name;
  std::string text() const;  // "media/resize", "node1"
  friend auto operator<=>(const ObjectName&, const ObjectName&) = default;
};

// "/apis/apps/v1/namespaces/media/deployments/resize/status"; without a name the collection; without a namespace all.
// Parts are encoded for a URL.
std::string path_of(const Resource& resource, std::string_view namespace_name, std::string_view name = {},
                    std::string_view subresource = {});

// What stands in an object's metadata; "" or 0 when it is absent or something else.
ObjectName name_of(const boost::json::object& object);
std::string_view text_in(const boost::json::object& object, std::string_view field);  // metadata.<field>
std::string_view uid_of(const boost::json::object& object);
std::string_view resource_version_of(const boost::json::object& object);
std::int64_t generation_of(const boost::json::object& object);
std::string_view label_of(const boost::json::object& object, std::string_view key);
std::string_view annotation_of(const boost::json::object& object, std::string_view key);
bool being_deleted(const boost::json::object& object);
// The value at a path of keys, "status.conditions"; null when there is none.
const boost::json::value* at(const boost::json::object& object, std::string_view dotted);

}  // namespace nuclio::k8s
