// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace nuclio::k8s {

// Kubernetes' MicroTime: "2006-01-02T15:04:05.000000Z".
std::string micro_time(std::chrono::system_clock::time_point time);
// RFC 3339, with or without a fraction, in any zone; nothing when it is none.
std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text);

}  // namespace nuclio::k8s
