// SPDX-License-Identifier: Apache-2.0
#include "processor/exposition.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>

#include "base/log.h"

namespace nuclio::processor {
namespace {

constexpr std::string_view kDefaultAddress = ":8090";

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }
double milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// Puts the families together, in the order of the tables below.
class Exposition {
 public:
  Exposition(const MetricsIdentity& identity, const TriggerReports& reports, std::optional<Bytes> memory)
      : identity_(identity), reports_(reports), memory_(memory) {}

  std::vector<prometheus::MetricFamily> families() && {
    add_events();
    add_allocations();
    add_workers();
    add_http();
    add_memory();
    return std::move(families_);
  }

 private:
  using Labels = std::vector<prometheus::ClientMetric::Label>;
  using Type = prometheus::MetricType;

  void family(std::string_view name, std::string_view help, Type type) {
    families_.push_back({"nuclio_processor_" + std::string{name}, std::string{help}, type, {}});
  }

  void value(const TriggerReport& report, double value, Labels more = {}) {
    prometheus::ClientMetric& metric = labelled(report, std::move(more));
    if (families_.back().type == Type::Gauge) {
      metric.gauge.value = value;
    } else {
      metric.counter.value = value;
    }
  }
  void value(const TriggerReport& report, std::uint64_t count, Labels more = {}) {
    value(report, static_cast<double>(count), std::move(more));
  }

  void histogram(const TriggerReport& report, const DurationHistogram& durations) {
    prometheus::ClientMetric::Histogram& histogram = labelled(report, {}).histogram;
    histogram.sample_count = durations.count();
    histogram.sample_sum = seconds(durations.sum());
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < DurationHistogram::kBoundsSeconds.size(); ++i) {
      cumulative += durations.buckets()[i];
      histogram.bucket.push_back({cumulative, DurationHistogram::kBoundsSeconds[i]});
    }
    histogram.bucket.push_back({durations.count(), std::numeric_limits<double>::infinity()});
  }

  prometheus::ClientMetric& labelled(const TriggerReport& report, Labels more) {
    prometheus::ClientMetric metric;
    metric.label = {{"instance", identity_.instance}, {"trigger_kind", report.kind},
                    {"trigger_id", report.name},      {"namespace", identity_.namespace_name},
                    {"function", identity_.function}, {"project", identity_.project}};
    std::ranges::move(more, std::back_inserter(metric.label));
    return families_.back().metric.emplace_back(std::move(metric));
  }

  void add_events() {
    family("handled_events_total", "Events by what became of them.", Type::Counter);
    for (const TriggerReport& report : reports_) {
      value(report, report.counts.succeeded, {{"result", "success"}});
      value(report, report.counts.failed, {{"result", "failure"}});
    }
    family("handled_events_duration_milliseconds_sum", "The handler's own time, summed up.", Type::Counter);
    for (const TriggerReport& report : reports_)
      for (std::size_t i = 0; i < workers(report); ++i)
        value(report, milliseconds(worker(report, i).duration), {{"worker_index", std::to_string(i)}});
    family("handled_events_duration_milliseconds_count", "Events in the sum of durations.", Type::Counter);
    for (const TriggerReport& report : reports_)
      for (std::size_t i = 0; i < workers(report); ++i)
        value(report, worker(report, i).events, {{"worker_index", std::to_string(i)}});
    family("handled_events_duration_seconds", "The handler's own time.", Type::Histogram);
    for (const TriggerReport& report : reports_) histogram(report, report.counts.handling);
    family("events_in_flight", "Events that are worked on or wait for a worker.", Type::Gauge);
    for (const TriggerReport& report : reports_) value(report, static_cast<double>(report.counts.in_flight));
  }

  void add_allocations() {
    family("worker_allocation_total", "Events by how they got a worker.", Type::Counter);
    for (const TriggerReport& report : reports_) {
      value(report, report.allocations.immediate, {{"result", "success_immediate"}});
      value(report, report.allocations.after_wait, {{"result", "success_after_wait"}});
      value(report, report.allocations.timed_out, {{"result", "error_timeout"}});
    }
    family("worker_allocation_count", "Events that asked for a worker.", Type::Counter);
    for (const TriggerReport& report : reports_) value(report, report.allocations.total());
    family("worker_allocation_wait_duration_milliseconds_sum", "Time that events waited for a worker, summed up.",
           Type::Counter);
    for (const TriggerReport& report : reports_) value(report, milliseconds(report.allocations.wait));
    family("worker_allocation_workers_available_percentage",
           "Percentage of workers that were idle when an event came, summed up.", Type::Counter);
    for (const TriggerReport& report : reports_) value(report, report.allocations.available_percent);
    family("worker_queue_wait_seconds", "Time that events waited for the worker that they got.", Type::Histogram);
    for (const TriggerReport& report : reports_) histogram(report, report.counts.queue_wait);
  }

  void add_workers() {
    family("worker_pending_allocation_current", "Events that wait for a worker.", Type::Gauge);
    for (const TriggerReport& report : reports_) value(report, report.waiting);
    family("workers", "Workers.", Type::Gauge);
    for (const TriggerReport& report : reports_) value(report, report.workers);
    family("workers_idle", "Workers that wait for an event.", Type::Gauge);
    for (const TriggerReport& report : reports_) value(report, report.idle);
    family("worker_restarts_total", "Workers that had to be replaced.", Type::Counter);
    for (const TriggerReport& report : reports_) value(report, report.restarts);
  }

  void add_http() {
    family("http_responses_total", "Answers to HTTP clients by status code.", Type::Counter);
    for (const TriggerReport& report : reports_)
      for (auto [status, count] : report.counts.http_responses)
        value(report, count, {{"code", std::to_string(status)}});
  }

  void add_memory() {
    family("memory_bytes", "What the processor and its workers take of memory; what they share counts once.",
           Type::Gauge);
    if (!memory_) return;
    prometheus::ClientMetric metric;
    metric.label = {{"instance", identity_.instance},
                    {"namespace", identity_.namespace_name},
                    {"function", identity_.function},
                    {"project", identity_.project}};
    metric.gauge.value = static_cast<double>(memory_->count);
    families_.back().metric.push_back(std::move(metric));
  }

  // A worker that has handled nothing yet is there too, with 0, so that rates work from its first event.
  static std::size_t workers(const TriggerReport& report) {
    return std::max(report.counts.workers.size(), report.workers);
  }
  static TriggerCounts::PerWorker worker(const TriggerReport& report, std::size_t index) {
    return index < report.counts.workers.size() ? report.counts.workers[index] : TriggerCounts::PerWorker{};
  }

  const MetricsIdentity& identity_;
  const TriggerReports& reports_;
  std::optional<Bytes> memory_;
  std::vector<prometheus::MetricFamily> families_;
};

Task<http::Response> answer(const MetricsIdentity& identity, const GetReports& get_reports,
                            const GetMemory& get_memory) {
  TriggerReports reports = co_await get_reports();
  const auto memory = co_await get_memory();
  co_return http::Response::text(200, exposition(identity, reports, memory),
                                 "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace

std::string exposition(const MetricsIdentity& identity, const TriggerReports& reports, std::optional<Bytes> memory) {
  auto families = Exposition{identity, reports, memory}.families();
  std::erase_if(families, [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
  return prometheus::TextSerializer{}.Serialize(families);
}

http::Router metrics_routes(MetricsIdentity identity, GetReports reports, GetMemory memory) {
  auto get = [identity = std::move(identity), reports = std::move(reports), memory = std::move(memory)](
                 http::Request&, const http::PathParams&) { return answer(identity, reports, memory); };
  return http::Router{{{"GET", "/metrics", get, "The processor's metrics in Prometheus' text format."}}};
}

std::optional<MetricsListener> metrics_listener(const spec::MetricsConfig& config) {
  if (config.sinks.empty()) return MetricsListener{std::string{kDefaultAddress}, ""};
  for (const auto& [name, sink] : config.sinks) {
    bool wanted = config.functions.empty() || std::ranges::find(config.functions, name) != config.functions.end();
    if (!wanted || !sink.enabled.value_or(true)) continue;
    if (sink.kind != spec::MetricSinkKind::prometheus_pull) {
      log::warn("A metrics sink is not used: only prometheusPull is available in this build", {{"sink", name}});
      continue;
    }
    const auto* instance = sink.attributes.if_contains("instanceName");
    return MetricsListener{sink.url.empty() ? std::string{kDefaultAddress} : sink.url,
                           instance && instance->is_string() ? std::string{instance->get_string()} : ""};
  }
  return std::nullopt;
}

std::string instance_name(std::string_view from_sink, std::string_view from_environment,
                          std::string_view namespace_name, std::string_view function) {
  if (!from_sink.empty()) return std::string{from_sink};
  if (!from_environment.empty()) return std::string{from_environment};
  return std::string{namespace_name} + "-" + std::string{function};
}

}  // namespace nuclio::processor
