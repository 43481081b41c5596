// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace nuclio::dashboard {

// What is known of a trigger in a step, of all replicas together.
struct TriggerPoint {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  // At its end. Triggers that share workers say the same of them.
  std::uint64_t in_flight = 0;
  std::uint64_t workers = 0;
  std::uint64_t idle = 0;
  std::uint64_t waiting = 0;  // events, for a worker

  friend bool operator==(const TriggerPoint&, const TriggerPoint&) = default;
};

// By their names.
using TriggerPoints = std::map<std::string, TriggerPoint, std::less<>>;

// Of which a replica can tell; a function has some, and what comes from one is not trusted to be so.
inline constexpr std::size_t kMostTriggers = 100;

}  // namespace nuclio::dashboard
