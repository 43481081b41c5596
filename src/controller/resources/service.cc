// SPDX-License-Identifier: Apache-2.0
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "controller/resources/desired.h"
#include "controller/resources/ports.h"
#include "platform/kube/names.h"

namespace nuclio::controller {
namespace {

namespace json = boost::json;
namespace kube = platform::kube;
using spec::FunctionState;
using spec::ServiceType;

const spec::HttpTrigger* http_trigger(const spec::FunctionConfig& config) {
  for (const auto& [name, trigger] : config.spec.triggers)
    if (const auto* http = std::get_if<spec::HttpTrigger>(&trigger.kind); http && !trigger.disabled) return http;
  return nullptr;
}

ServiceType type_of(const FunctionInput& input) {
  const auto* http = http_trigger(input.config);
  if (http && http->service_type != ServiceType::platform_default) return http->service_type;
  if (input.config.spec.service_type != ServiceType::platform_default) return input.config.spec.service_type;
  const ServiceType otherwise = input.platform.kube.default_service_type;
  return otherwise == ServiceType::platform_default ? ServiceType::cluster_ip : otherwise;
}

// The port that the user wants, else the one that clients know already.
std::optional<int> node_port(const FunctionInput& input) {
  if (type_of(input) != ServiceType::node_port) return std::nullopt;
  const auto* http = http_trigger(input.config);
  return http && http->port > 0 ? std::optional{http->port} : input.node_port;
}

// Whoever calls a function that is scaled to zero reaches dlx, which wakes it; so it stays until the function is ready.
bool leads_to_dlx(const FunctionInput& input) {
  const FunctionState state = input.config.status.state;
  return (input.scaled_to_zero && state != FunctionState::imported) ||
         state == FunctionState::waiting_for_scale_resource_from_zero;
}

json::object selector(const FunctionInput& input) {
  if (leads_to_dlx(input)) return {{kube::kAppLabel, "dlx"}};
  return {{kube::kClassLabel, "function"}, {kube::kFunctionLabel, input.config.metadata.name}};
}

}  // namespace

json::object service(const FunctionInput& input) {
  // The dlx listens on the port that functions have; a port's number rather than its name leads to either.
  json::object http{{"name", "http"},
                    {"port", kHttpPort},
                    {"targetPort", leads_to_dlx(input) ? kHttpPort : http_port(input.config)},
                    {"protocol", "TCP"}};
  if (const auto port = node_port(input)) http["nodePort"] = *port;
  json::array ports{std::move(http)};
  if (const auto metrics = metrics_port(input.platform))
    ports.push_back(
        json::object{{"name", "metrics"}, {"port", kMetricsPort}, {"targetPort", *metrics}, {"protocol", "TCP"}});
  for (const json::value& port : sidecar_ports(input.config)) {
    const json::value* protocol = port.get_object().if_contains("protocol");
    ports.push_back(json::object{{"name", port.at("name")},
                                 {"port", port.at("containerPort")},
                                 {"targetPort", port.at("containerPort")},
                                 {"protocol", protocol && protocol->is_string() ? *protocol : json::value("TCP")}});
  }
  return {{"apiVersion", k8s::kServices.api_version()},
          {"kind", k8s::kServices.kind},
          {"metadata", metadata(input, kube::object_name(input.config.metadata.name))},
          {"spec",
           {{"type", schema::name_of(type_of(input))}, {"selector", selector(input)}, {"ports", std::move(ports)}}}};
}

}  // namespace nuclio::controller
