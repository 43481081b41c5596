// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "schema/schema.h"

namespace nuclio::spec {

using schema::field;

struct EventhubTrigger {
  static constexpr std::string_view kKind = "eventhub";
  static constexpr bool kInert = true;
  std::string shared_access_key_name;
  std::string shared_access_key_value;
  std::string namespace_name;
  std::string event_hub_name;
  std::string consumer_group = "$Default";
  std::vector<int> partitions;

  template <class T = EventhubTrigger>
  static constexpr auto fields() {
    return std::tuple{
        field("sharedAccessKeyName", &T::shared_access_key_name, {.doc = "Name of the shared access key."}),
        field("sharedAccessKeyValue", &T::shared_access_key_value, {.doc = "The shared access key.", .secret = true}),
        field("namespace", &T::namespace_name, {.doc = "Event Hubs namespace."}),
        field("eventHubName", &T::event_hub_name, {.doc = "Event hub to read."}),
        field("consumerGroup", &T::consumer_group, {.doc = "Consumer group."}),
        field("partitions", &T::partitions, {.doc = "Partitions to read.", .min = 0}),
    };
  }
};

}  // namespace nuclio::spec
