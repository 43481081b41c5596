// SPDX-License-Identifier: Apache-2.0
// The ports of a function's pod. What calls a function uses those of its Service, which are always 8080 and 8090.
#pragma once
#include <boost/json/array.hpp>
#include <optional>

#include "controller/resources/desired.h"

namespace nuclio::controller {

inline constexpr int kHttpPort = 8080;
inline constexpr int kMetricsPort = 8090;

// Where the function's container listens for events: the http trigger's own port, or 8080, where a function without one
// answers probes.
int http_port(const spec::FunctionConfig& config);
// Where it listens for who wants its metrics or its health; nothing when the platform wants nobody to.
std::optional<int> metrics_port(const spec::PlatformConfig& platform);
std::optional<int> health_port(const spec::PlatformConfig& platform);

// The named ports of all sidecars, as they stand in the containers.
boost::json::array sidecar_ports(const spec::FunctionConfig& config);

}  // namespace nuclio::controller
