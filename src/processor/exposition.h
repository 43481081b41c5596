// SPDX-License-Identifier: Apache-2.0
// Where Prometheus reads what the processor counts, under Nuclio's names and some of our own.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "http/router.h"
#include "processor/memory.h"
#include "processor/metrics.h"
#include "spec/platform_config.h"

namespace nuclio::processor {

// Said with every value.
struct MetricsIdentity {
  std::string instance;  // see instance_name()
  std::string namespace_name;
  std::string function;
  std::string project;
};

// All of it in Prometheus' text format.
std::string exposition(const MetricsIdentity& identity, const TriggerReports& reports, std::optional<Bytes> memory);

// Answers GET /metrics.
http::Router metrics_routes(MetricsIdentity identity, GetReports reports, GetMemory memory);

struct MetricsListener {
  std::string address;        // to listen on
  std::string instance_name;  // the sink's, or ""
};
// Where metrics are to be read: at the first enabled prometheusPull sink among those that `functions` names (all sinks
// when it names none), and without any sinks at :8090. Nothing when there are sinks, but none of them is pulled from.
std::optional<MetricsListener> metrics_listener(const spec::MetricsConfig& config);

// The `instance` label: the sink's instanceName, else NUCLIO_FUNCTION_INSTANCE as `from_environment` ("" when unset),
// else <namespace>-<function>.
std::string instance_name(std::string_view from_sink, std::string_view from_environment,
                          std::string_view namespace_name, std::string_view function);

}  // namespace nuclio::processor
