// SPDX-License-Identifier: Apache-2.0
// status.conditions, in the form that kubectl wait and other tools read: one entry a type.
#pragma once
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace nuclio::platform::kube {

inline constexpr std::string_view kReady = "Ready";        // it answers as it was last asked to be
inline constexpr std::string_view kBuilt = "Built";        // there is an image of it as it is now
inline constexpr std::string_view kDeployed = "Deployed";  // Kubernetes runs that image with that configuration
inline constexpr std::string_view kStalled = "Stalled";    // only while it is true: nothing gets better by waiting
// Only while it is true: cron triggers fire otherwise than they say.
inline constexpr std::string_view kCronLimited = "CronLimited";

struct Condition {
  std::string_view type;
  bool is_true;
  std::string_view reason;  // one UpperCamelCase word
  std::string message;
};

// Sets one in a status. The time of the last transition stays when the condition is as it was. `now` as RFC 3339.
void set_condition(boost::json::object& status, const Condition& condition, std::int64_t generation,
                   std::string_view now);
void clear_condition(boost::json::object& status, std::string_view type);
// Null when it is not there.
const boost::json::object* find_condition(const boost::json::object& status, std::string_view type);
// Whether it is there and "False".
bool is_false(const boost::json::object& status, std::string_view type);

// "2026-01-31T12:00:00Z".
std::string rfc3339(std::chrono::system_clock::time_point when);

}  // namespace nuclio::platform::kube
