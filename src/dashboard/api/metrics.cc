// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "base/duration.h"
#include "dashboard/api/calls.h"
#include "dashboard/metrics/history.h"
#include "platform/kube/conditions.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using std::chrono::seconds;

Result<seconds> asked(const Request& request, std::string_view name, seconds usual, seconds least) {
  const auto text = http::query_param(request.query, name);
  if (!text || text->empty()) return usual;
  auto duration = parse_duration(*text);
  if (!duration) return std::unexpected(std::move(duration).error().in(name));
  const auto length = std::chrono::ceil<seconds>(*duration);
  if (length < least || length > kCoarseLength)
    return fail(Why::invalid, std::string(name) + " must be from " + format_duration(least) + " to " +
                                  format_duration(kCoarseLength) + ", is " + *text);
  return length;
}

// A column of the table: one number a step, or null.
template <class Number>
json::array column(const MetricsHistory::Window& window, Number number) {
  json::array out;
  out.reserve(window.points.size());
  for (const Point& each : window.points)
    out.push_back(each.known ? json::value_from(number(each)) : json::value(nullptr));
  return out;
}

std::optional<double> mean_wait_seconds(const Point& point) {
  if (point.waits == 0) return std::nullopt;
  return static_cast<double>(point.wait_microseconds) / 1e6 / static_cast<double>(point.waits);
}

std::optional<std::uint64_t> memory_bytes(const Point& point) {
  if (point.memory_bytes == 0 && point.replicas > 0) return std::nullopt;
  return point.memory_bytes;
}

json::object shown(const MetricsHistory::Window& window) {
  const auto length = static_cast<double>(window.step.count());
  const auto rate = [&](std::uint64_t events) { return static_cast<double>(events) / length; };
  const auto handled = [&](double part) {
    return column(window, [&](const Point& each) { return quantile(each.handling, part); });
  };
  json::object out{{"begin", platform::kube::rfc3339(window.begin)}, {"stepSeconds", window.step.count()}};
  out["ratePerSecond"] = column(window, [&](const Point& each) { return rate(each.succeeded + each.failed); });
  out["errorsPerSecond"] = column(window, [&](const Point& each) { return rate(each.failed); });
  out["p50Seconds"] = handled(0.5);
  out["p90Seconds"] = handled(0.9);
  out["p99Seconds"] = handled(0.99);
  out["queueWaitSeconds"] = column(window, mean_wait_seconds);
  out["inFlight"] = column(window, [](const Point& each) { return each.in_flight; });
  out["workers"] = column(window, [](const Point& each) { return each.workers; });
  out["replicas"] = column(window, [](const Point& each) { return each.replicas; });
  out["memoryBytes"] = column(window, memory_bytes);
  json::array& bounds = out["boundsSeconds"].emplace_array();
  for (const double each : kDurationBoundsSeconds) bounds.push_back(each);
  out["durations"] = column(window, [](const Point& each) {
    json::array counts;
    for (const std::uint64_t count : each.handling) counts.push_back(count);
    return counts;
  });
  return out;
}

json::object shown(const TriggerPoint& trigger) {
  const auto seconds = static_cast<double>(kFineStep.count());
  return {{"ratePerSecond", static_cast<double>(trigger.succeeded + trigger.failed) / seconds},
          {"errorsPerSecond", static_cast<double>(trigger.failed) / seconds},
          {"inFlight", trigger.in_flight},
          {"workers", trigger.workers},
          {"idleWorkers", trigger.idle},
          {"waiting", trigger.waiting}};
}

}  // namespace

Task<Response> get_metrics(Context& context, Request& request, const PathParams& params) {
  const auto length = asked(request, "since", kFineLength, kFineStep);
  if (!length) co_return Response::error(length.error());
  const auto step = asked(request, "step", 1s, 1s);
  if (!step) co_return Response::error(step.error());
  const platform::FunctionId id{namespace_of(context, request, "X-Nuclio-Function-Namespace"),
                                params.as<FunctionName>("id")};
  auto function = co_await context.platform.function(id);
  if (!function) co_return Response::error(function.error());
  const auto now = std::chrono::floor<seconds>(std::chrono::system_clock::now());
  json::object out = shown(context.metrics.window(id, now, *length, *step));
  out["metadata"] = {{"name", id.name.value()}, {"namespace", id.namespace_name.value()}};
  co_return json_response(200, std::move(out));
}

Task<Response> get_trigger_metrics(Context& context, Request& request, const PathParams& params) {
  const platform::FunctionId id{namespace_of(context, request, "X-Nuclio-Function-Namespace"),
                                params.as<FunctionName>("id")};
  auto function = co_await context.platform.function(id);
  if (!function) co_return Response::error(function.error());
  const auto last = context.metrics.triggers(id);
  json::object out{{"metadata", {{"name", id.name.value()}, {"namespace", id.namespace_name.value()}}},
                   {"stepSeconds", kFineStep.count()}};
  json::object triggers;
  if (last) {
    out["begin"] = platform::kube::rfc3339(last->begin);
    for (const auto& [name, each] : last->triggers) triggers[name] = shown(each);
  }
  out["triggers"] = std::move(triggers);
  co_return json_response(200, std::move(out));
}

}  // namespace nuclio::dashboard
