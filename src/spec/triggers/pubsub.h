// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "schema/schema.h"
#include "spec/triggers/iot_core_mqtt.h"

namespace nuclio::spec {

struct PubsubSubscription {
  std::string topic;
  std::string id_prefix = "nuclio-pub";
  bool shared = false;
  std::chrono::nanoseconds ack_deadline{0};
  bool skip_create = false;
  int max_num_workers = 1;
  bool synchronous = false;

  template <class T = PubsubSubscription>
  static constexpr auto fields() {
    return std::tuple{
        field("topic", &T::topic, {.doc = "Topic to subscribe to.", .required = true}),
        field("idPrefix", &T::id_prefix, {.doc = "Beginning of the subscription's name."}),
        field("shared", &T::shared, {.doc = "All replicas share one subscription."}),
        field("ackDeadline", &T::ack_deadline, {.doc = "Time to acknowledge; the trigger's when 0s."}),
        field("skipCreate", &T::skip_create, {.doc = "The subscription exists already."}),
        field("maxNumWorkers", &T::max_num_workers,
              {.doc = "Events handled at the same time.", .min = 1, .max = 100000}),
        field("synchronous", &T::synchronous, {.doc = "Pull one message after the other."}),
    };
  }
};

struct PubsubTrigger {
  static constexpr std::string_view kKind = "pubsub";
  static constexpr bool kInert = true;
  std::string project_id;
  std::vector<PubsubSubscription> subscriptions;
  std::chrono::nanoseconds ack_deadline = std::chrono::seconds{10};
  FileContents credentials;
  bool no_credentials = false;

  template <class T = PubsubTrigger>
  static constexpr auto fields() {
    return std::tuple{
        field("projectID", &T::project_id, {.doc = "Project."}),
        field("subscriptions", &T::subscriptions, {.doc = "What to subscribe to."}),
        field("ackDeadline", &T::ack_deadline, {.doc = "Time to acknowledge."}),
        field("credentials", &T::credentials, {.doc = "Service account, JSON."}),
        field("noCredentials", &T::no_credentials, {.doc = "Connect without credentials."}),
    };
  }
};

}  // namespace nuclio::spec
