// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "schema/schema.h"

namespace nuclio::spec {

using schema::field;

struct MqttSubscription {
  std::string topic;
  int qos = 0;

  template <class M = MqttSubscription>
  static constexpr auto fields() {
    return std::tuple{
        field("topic", &M::topic, {.doc = "Topic filter.", .required = true}),
        field("qos", &M::qos, {.doc = "Quality of service.", .min = 0, .max = 2}),
    };
  }
};

struct MqttTrigger {
  static constexpr std::string_view kKind = "mqtt";
  static constexpr bool kInert = true;
  std::vector<MqttSubscription> subscriptions;
  std::string client_id;
  int protocol_version = 4;

  template <class M = MqttTrigger>
  static constexpr auto fields() {
    return std::tuple{
        field("subscriptions", &M::subscriptions, {.doc = "What to subscribe to."}),
        field("clientID", &M::client_id, {.doc = "Client identifier."}),
        field("protocolVersion", &M::protocol_version,
              {.doc = "3 for MQTT 3.1, 4 for 3.1.1, 5 for 5.", .min = 3, .max = 5}),
    };
  }
};

}  // namespace nuclio::spec
