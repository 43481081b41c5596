// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "schema/schema.h"
#include "spec/metadata.h"

namespace nuclio::spec {

using schema::field;

enum class FunctionState {
  none,
  waiting_for_build,
  building,
  waiting_for_resource_configuration,
  waiting_for_scale_resource_from_zero,
  waiting_for_scale_resource_to_zero,
  configuring_resources,
  ready,
  error,
  unhealthy,
  scaled_to_zero,
  imported,
};
constexpr auto choices(FunctionState) {
  using S = FunctionState;
  using C = schema::Choice<S>;
  return std::array{C{S::none, ""},
                    C{S::waiting_for_build, "waitingForBuild"},
                    C{S::building, "building"},
                    C{S::waiting_for_resource_configuration, "waitingForResourceConfiguration"},
                    C{S::waiting_for_scale_resource_from_zero, "waitingForScaleResourceFromZero"},
                    C{S::waiting_for_scale_resource_to_zero, "waitingForScaleResourceToZero"},
                    C{S::configuring_resources, "configuringResources"},
                    C{S::ready, "ready"},
                    C{S::error, "error"},
                    C{S::unhealthy, "unhealthy"},
                    C{S::scaled_to_zero, "scaledToZero"},
                    C{S::imported, "imported"}};
}

// Whether nothing is being done to the function, so that it may be updated or deleted.
constexpr bool provisioned(FunctionState state) {
  switch (state) {
    case FunctionState::ready:
    case FunctionState::error:
    case FunctionState::unhealthy:
    case FunctionState::scaled_to_zero:
    case FunctionState::imported: return true;
    default: return false;
  }
}

struct ScaleToZeroStatus {
  std::string last_scale_event;
  std::string last_scale_event_time;

  template <class S = ScaleToZeroStatus>
  static constexpr auto fields() {
    return std::tuple{
        field("lastScaleEvent", &S::last_scale_event,
              {.doc = "resourceUpdated, scaleFromZeroStarted, scaleFromZeroCompleted, scaleToZeroStarted or "
                      "scaleToZeroCompleted."}),
        field("lastScaleEventTime", &S::last_scale_event_time, {.doc = "When that was, as RFC 3339."}),
    };
  }
};

// One thing that is so of a function or not, as Kubernetes' tools know how to wait for it.
struct Condition {
  std::string type;
  std::string status;
  std::string reason;
  std::string message;
  std::string last_transition_time;
  std::int64_t observed_generation = 0;

  template <class C = Condition>
  static constexpr auto fields() {
    return std::tuple{
        field("type", &C::type, {.doc = "What it is about, such as Ready.", .required = true}),
        field("status", &C::status, {.doc = "True, False or Unknown."}),
        field("reason", &C::reason, {.doc = "Why, in one word for programs."}),
        field("message", &C::message, {.doc = "Why, in a sentence for people."}),
        field("lastTransitionTime", &C::last_transition_time, {.doc = "Since when, as RFC 3339."}),
        field("observedGeneration", &C::observed_generation,
              {.doc = "metadata.generation of the function that this was said of."}),
    };
  }
};

// What the platform knows about a function. Users read it; what they write here is not used.
struct FunctionStatus {
  FunctionState state = FunctionState::none;
  std::string message;
  std::vector<boost::json::object> logs;
  ScaleToZeroStatus scale_to_zero;
  std::vector<std::string> api_gateways;
  int http_port = 0;
  std::string container_image;
  std::vector<std::string> internal_invocation_urls;
  std::vector<std::string> external_invocation_urls;
  std::map<std::string, std::string> enriched_node_selector;
  int replicas = 0;
  std::string selector;
  std::int64_t observed_generation = 0;
  std::vector<Condition> conditions;

  template <class S = FunctionStatus>
  static constexpr auto fields() {
    return std::tuple{
        field("state", &S::state, {.doc = "Where the function is on its way to being ready."}),
        field("message", &S::message, {.doc = "Why the function is in error or unhealthy."}),
        field("logs", &S::logs, {.doc = "Log lines of the last build and deploy."}),
        field("scaleToZero", &S::scale_to_zero, {.doc = "The last change between zero and some replicas."}),
        field("apiGateways", &S::api_gateways, {.doc = "Names of the API gateways that lead to the function."}),
        field("httpPort", &S::http_port,
              {.doc = "Port on the host where the function answers.", .min = 0, .max = 65535}),
        field("containerImage", &S::container_image, {.doc = "Image that runs."}),
        field("internalInvocationUrls", &S::internal_invocation_urls,
              {.doc = "URLs from within the platform's network."}),
        field("externalInvocationUrls", &S::external_invocation_urls, {.doc = "URLs from outside."}),
        field("enrichedNodeSelector", &S::enriched_node_selector,
              {.doc = "Node selector after the project's and the platform's were added."}),
        field("replicas", &S::replicas, {.doc = "Replicas that there are.", .min = 0, .only = kKubernetes}),
        field("selector", &S::selector,
              {.doc = "Labels of the function's pods, for who scales by metrics of pods.", .only = kKubernetes}),
        field(
            "observedGeneration", &S::observed_generation,
            {.doc = "metadata.generation of the function that the rest of the status is about.", .only = kKubernetes}),
        field("conditions", &S::conditions,
              {.doc = "What is so of the function, and since when.", .only = kKubernetes}),
    };
  }
};

}  // namespace nuclio::spec
