// SPDX-License-Identifier: Apache-2.0
// What Kubernetes is to have for a function. Pure functions from what is known to objects; reconcile_function.cc
// applies them. Each object is whole, with apiVersion, kind, name, namespace, labels and owner, and has exactly the
// fields that are ours: server-side apply leaves all others alone.
#pragma once
#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/resource.h"
#include "spec/function.h"
#include "spec/platform_config.h"

namespace nuclio::controller {

// Borrowed for the call.
struct FunctionInput {
  const spec::FunctionConfig& config;  // enriched; masked values are "$ref:…"
  const spec::PlatformConfig& platform;
  const boost::json::object& owner;  // the function's object as the API server has it: its uid owns all that is made
  std::string secret = {};           // the Secret with the masked values; "" when there is none
  std::map<std::string, std::string> project_node_selector = {};
  bool scaled_to_zero = false;       // no replicas, whatever the spec says: scaled to zero, imported
  std::optional<int> replicas = {};  // that the Deployment has: kept when an autoscaler may have set them
  // Somebody else than we owns the Deployment's replicas (its managedFields say so), as an autoscaler does once it has
  // set them: then they are left to it. Before that they must stay ours, or the API server would make them 1.
  bool autoscaled = false;
  std::optional<int> node_port = {};  // that the Service has: kept
  std::string controller_version = {};
};

// How many replicas a function may have while it serves: as an autoscaler or `kubectl scale` decides within these.
struct ReplicaBounds {
  int least;
  int most;
};
ReplicaBounds replica_bounds(const spec::FunctionSpec& spec);

struct DesiredObject {
  k8s::Resource resource;
  boost::json::object object;
};

// In the order in which they are applied: ConfigMap, Service, Deployment, autoscaler, Ingress, CronJobs. Which kinds
// there can be at all says kOwnedKinds: what exists of those with the function's labels and is not among the desired is
// to go.
std::vector<DesiredObject> desired_objects(const FunctionInput& input);

inline constexpr k8s::Resource kOwnedKinds[] = {k8s::kConfigMaps,  k8s::kServices,  k8s::kDeployments,
                                                k8s::kAutoscalers, k8s::kIngresses, k8s::kCronJobs};

// One each, for the tests and for desired_objects().
boost::json::object config_map(const FunctionInput& input);
boost::json::object service(const FunctionInput& input);
boost::json::object deployment(const FunctionInput& input);
std::optional<boost::json::object> autoscaler(const FunctionInput& input);
std::optional<boost::json::object> ingress(const FunctionInput& input);
std::vector<boost::json::object> cron_jobs(const FunctionInput& input);

// The node selector of the function's pods: the platform's, the project's and the function's own, of which the later
// win, and what preemptionMode does to them. For status.enrichedNodeSelector.
std::map<std::string, std::string> node_selector(const FunctionInput& input);

// The metadata that all of them have: name, namespace, labels, ownerReferences.
boost::json::object metadata(const FunctionInput& input, std::string_view name);
// The labels of a function's objects and pods: the function's own, and those of names.h, which win.
std::map<std::string, std::string> labels(const spec::FunctionConfig& config);

}  // namespace nuclio::controller
