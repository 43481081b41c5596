// SPDX-License-Identifier: Apache-2.0
#include "dashboard/events/message.h"

#include <boost/json.hpp>

#include "dashboard/api/context.h"
#include "dashboard/metrics/history.h"
#include "spec/load.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;

json::object of(const platform::FunctionId& id) {
  return {{"namespace", id.namespace_name.value()}, {"name", id.name.value()}};
}

}  // namespace

std::string event_text(EventNumber number, std::string_view name, const json::value& data) {
  std::string out = "id: " + std::to_string(number) + "\nevent: ";
  out += name;
  out += "\ndata: ";
  out += json::serialize(data);
  out += "\n\n";
  return out;
}

json::value brief(const spec::FunctionConfig& config) {
  spec::FunctionConfig out;
  out.metadata = config.metadata;
  out.spec.description = config.spec.description;
  out.spec.runtime = config.spec.runtime;
  out.spec.handler = config.spec.handler;
  out.spec.image = config.spec.image;
  out.spec.disable = config.spec.disable;
  out.spec.replicas = config.spec.replicas;
  out.spec.min_replicas = config.spec.min_replicas;
  out.spec.max_replicas = config.spec.max_replicas;
  out.status = config.status;
  out.status.logs.clear();
  json::value value = with_all_parts(spec::to_json(out, spec::Secrets::masked));
  json::object triggers;
  for (const auto& [name, trigger] : config.spec.triggers) {
    json::object shown{{"kind", spec::kind_name(trigger)}, {"numWorkers", trigger.num_workers}};
    if (trigger.disabled) shown["disabled"] = true;
    triggers[name] = std::move(shown);
  }
  value.get_object()["spec"].get_object()["triggers"] = std::move(triggers);
  return value;
}

json::object gone(const Namespace& name_space, const std::string& name) {
  return {{"metadata", {{"name", name}, {"namespace", name_space.value()}}}};
}

json::object build_lines(const platform::FunctionId& id, bool begin, const BuildLines& lines) {
  json::object out = of(id);
  out["begin"] = begin;
  json::array& array = out["lines"].emplace_array();
  for (const json::object& line : lines) array.push_back(line);
  return out;
}

json::object log_lines(const platform::FunctionId& id, const platform::ReplicaName& replica,
                       const std::vector<std::string>& lines) {
  json::object out = of(id);
  out["replica"] = replica.value();
  json::array& array = out["lines"].emplace_array();
  for (const std::string& line : lines) array.push_back(json::value(line));
  return out;
}

json::object metrics_sample(const platform::FunctionId& id, const Point& point) {
  json::object out = of(id);
  if (!point.known) {
    out["known"] = false;
    return out;
  }
  const auto seconds = static_cast<double>(kFineStep.count());
  out["ratePerSecond"] = static_cast<double>(point.succeeded + point.failed) / seconds;
  out["errorsPerSecond"] = static_cast<double>(point.failed) / seconds;
  out["p50Seconds"] = json::value_from(quantile(point.handling, 0.5));
  out["p99Seconds"] = json::value_from(quantile(point.handling, 0.99));
  out["inFlight"] = point.in_flight;
  out["workers"] = point.workers;
  out["replicas"] = point.replicas;
  return out;
}

}  // namespace nuclio::dashboard
