// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "schema/schema.h"
#include "spec/triggers/mqtt.h"

namespace nuclio::spec {

struct FileContents {
  std::string contents;

  template <class F = FileContents>
  static constexpr auto fields() {
    return std::tuple{field("contents", &F::contents, {.doc = "The text itself.", .secret = true})};
  }
};

struct IotCoreMqttTrigger {
  static constexpr std::string_view kKind = "iotCoreMqtt";
  static constexpr bool kInert = true;
  std::vector<MqttSubscription> subscriptions;
  std::string client_id;
  int protocol_version = 4;
  std::string project_id;
  std::string region_name;
  std::string registry_id;
  std::string device_id;
  FileContents private_key;
  std::chrono::nanoseconds jwt_refresh_interval = std::chrono::hours{1};

  template <class T = IotCoreMqttTrigger>
  static constexpr auto fields() {
    return std::tuple{
        field("subscriptions", &T::subscriptions, {.doc = "What to subscribe to."}),
        field("clientID", &T::client_id, {.doc = "Client identifier."}),
        field("protocolVersion", &T::protocol_version, {.doc = "MQTT version, see mqtt.", .min = 3, .max = 5}),
        field("projectID", &T::project_id, {.doc = "Project."}),
        field("regionName", &T::region_name, {.doc = "Region."}),
        field("registryID", &T::registry_id, {.doc = "Device registry."}),
        field("deviceID", &T::device_id, {.doc = "Device."}),
        field("privateKey", &T::private_key, {.doc = "The device's key."}),
        field("jwtRefreshInterval", &T::jwt_refresh_interval, {.doc = "Life of the token that is sent as password."}),
    };
  }
};

}  // namespace nuclio::spec
