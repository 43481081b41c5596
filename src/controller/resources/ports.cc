// SPDX-License-Identifier: Apache-2.0
#include "controller/resources/ports.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "controller/resources/merge.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;

// Of ":8080" or "0.0.0.0:8080"; validate() has seen to it that an address is one.
int port_of(std::string_view address, int otherwise) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return otherwise;
  int port = 0;
  std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
  return port > 0 ? port : otherwise;
}

}  // namespace

int http_port(const spec::FunctionConfig& config) {
  for (const auto& [name, trigger] : config.spec.triggers)
    if (spec::is_http(trigger) && !trigger.disabled) return port_of(trigger.url, kHttpPort);
  return kHttpPort;
}

// As the processor decides it, in src/processor/exposition.cc.
std::optional<int> metrics_port(const spec::PlatformConfig& platform) {
  const spec::MetricsConfig& metrics = platform.metrics;
  if (metrics.sinks.empty()) return kMetricsPort;
  for (const auto& [name, sink] : metrics.sinks) {
    const bool wanted =
        metrics.functions.empty() || std::ranges::find(metrics.functions, name) != metrics.functions.end();
    if (wanted && sink.enabled.value_or(true) && sink.kind == spec::MetricSinkKind::prometheus_pull)
      return port_of(sink.url, kMetricsPort);
  }
  return std::nullopt;
}

std::optional<int> health_port(const spec::PlatformConfig& platform) {
  if (!platform.health_check.enabled) return std::nullopt;
  return port_of(platform.health_check.listen_address, 8082);
}

json::array sidecar_ports(const spec::FunctionConfig& config) {
  json::array out;
  for (const json::object& sidecar : config.spec.sidecars) {
    const json::value* ports = sidecar.if_contains("ports");
    if (ports == nullptr || !ports->is_array()) continue;
    for (const json::value& port : ports->get_array())
      if (port.is_object() && !text_in(port.get_object(), "name").empty() &&
          port.get_object().contains("containerPort"))
        out.push_back(port);
  }
  return out;
}

}  // namespace nuclio::controller
