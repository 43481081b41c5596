// SPDX-License-Identifier: Apache-2.0
#include "processor/web_admin.h"

#include <algorithm>
#include <boost/json.hpp>

#include "schema/json.h"
#include "spec/load.h"

namespace nuclio::processor {
namespace {

namespace json = boost::json;

http::Response pretty(const json::value& value) { return http::Response::json(200, schema::to_pretty_json(value)); }

http::Response unknown(std::string_view name) {
  return http::Response::error(
      {Why::not_found, "there is no trigger \"" + std::string{name} + "\"; GET /triggers lists them"});
}

double milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

WebAdmin::WebAdmin(const spec::FunctionConfig& function, GetReports reports)
    : function_(function),
      reports_(std::move(reports)),
      routes_({
          {"GET", "/triggers", [this](http::Request&, const http::PathParams&) { return all(); },
           "The triggers by name."},
          {"GET", "/triggers/{id}", [this](http::Request&, const http::PathParams& params) { return one(params); },
           "One trigger."},
          {"GET", "/triggers/{id}/stats",
           [this](http::Request&, const http::PathParams& params) { return statistics(params); },
           "What became of a trigger's events since the start."},
      }) {}

Task<http::Response> WebAdmin::all() {
  json::object triggers;
  for (const auto& [name, trigger] : function_.spec.triggers)
    triggers[name] = spec::to_json(trigger, spec::Secrets::masked);
  co_return pretty(triggers);
}

Task<http::Response> WebAdmin::one(const http::PathParams& params) {
  auto found = function_.spec.triggers.find(params.get("id"));
  if (found == function_.spec.triggers.end()) co_return unknown(params.get("id"));
  co_return pretty(spec::to_json(found->second, spec::Secrets::masked));
}

Task<http::Response> WebAdmin::statistics(const http::PathParams& params) {
  std::string name{params.get("id")};
  TriggerReports reports = co_await reports_();
  auto report = std::ranges::find(reports, name, &TriggerReport::name);
  if (report == reports.end()) co_return unknown(name);
  const TriggerCounts& counts = report->counts;
  const PoolStatistics& allocations = report->allocations;
  json::object statistics;
  statistics["handledEvents"] = {{"success", counts.succeeded},
                                 {"failure", counts.failed},
                                 {"inFlight", counts.in_flight},
                                 {"durationMilliseconds", milliseconds(counts.handling.sum())}};
  statistics["workerAllocation"] = {{"count", allocations.total()},
                                    {"successImmediate", allocations.immediate},
                                    {"successAfterWait", allocations.after_wait},
                                    {"errorTimeout", allocations.timed_out},
                                    {"waitDurationMilliseconds", milliseconds(allocations.wait)}};
  statistics["workers"] = {{"count", report->workers},
                           {"idle", report->idle},
                           {"waitingEvents", report->waiting},
                           {"restarts", report->restarts}};
  co_return pretty(statistics);
}

}  // namespace nuclio::processor
