// SPDX-License-Identifier: Apache-2.0
#include "processor/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>

#include "base/check.h"
#include "base/log.h"
#include "processor/processor.h"
#include "spec/trigger.h"

namespace nuclio::processor {
namespace {

constexpr std::string_view kDefaultAddress = ":8090";

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }
double milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

bool succeeded(const Result<Response>& result) { return result && !result->failure && result->status < 500; }

}  // namespace

void DurationHistogram::observe(std::chrono::nanoseconds duration) {
  auto bound = std::ranges::lower_bound(kBoundsSeconds, seconds(duration));
  ++buckets_[static_cast<std::size_t>(bound - kBoundsSeconds.begin())];
  ++count_;
  sum_ += duration;
}

void Metrics::add(const Source& source) {
  CHECK(!find(source.name));
  entries_.push_back({&source, {}});
}

// There are as many as triggers, so looking at each is the fastest way.
TriggerCounts& Metrics::of(const Source& source) {
  auto entry = std::ranges::find(entries_, &source, &Entry::source);
  CHECK(entry != entries_.end());
  return entry->counts;
}

const Metrics::Entry* Metrics::find(std::string_view trigger_name) const {
  auto entry =
      std::ranges::find(entries_, trigger_name, [](const Entry& one) -> std::string_view { return one.source->name; });
  return entry == entries_.end() ? nullptr : &*entry;
}

const TriggerCounts* Metrics::counts(std::string_view trigger_name) const {
  const Entry* entry = find(trigger_name);
  return entry ? &entry->counts : nullptr;
}

const Source* Metrics::source(std::string_view trigger_name) const {
  const Entry* entry = find(trigger_name);
  return entry ? entry->source : nullptr;
}

void Metrics::handled(const Source& source, WorkerIndex worker, const Result<Response>& result) {
  TriggerCounts& counts = of(source);
  ++(succeeded(result) ? counts.succeeded : counts.failed);
  if (!result) return;  // nobody knows how long the handler worked
  auto index = static_cast<std::size_t>(worker.value());
  if (index >= counts.workers.size()) counts.workers.resize(index + 1);
  ++counts.workers[index].events;
  counts.workers[index].duration += result->duration;
  counts.handling.observe(result->duration);
}

// Puts the families together, in the order of the tables below.
class Exposition {
 public:
  explicit Exposition(const Metrics& metrics) : metrics_(metrics) {}

  std::vector<prometheus::MetricFamily> families() && {
    add_events();
    add_allocations();
    add_workers();
    add_http();
    return std::move(families_);
  }

 private:
  using Labels = std::vector<prometheus::ClientMetric::Label>;
  using Type = prometheus::MetricType;

  void family(std::string_view name, std::string_view help, Type type) {
    families_.push_back({"nuclio_processor_" + std::string{name}, std::string{help}, type, {}});
  }

  void value(const Metrics::Entry& entry, double value, Labels more = {}) {
    prometheus::ClientMetric& metric = labelled(entry, std::move(more));
    if (families_.back().type == Type::Gauge) {
      metric.gauge.value = value;
    } else {
      metric.counter.value = value;
    }
  }
  void value(const Metrics::Entry& entry, std::uint64_t count, Labels more = {}) {
    value(entry, static_cast<double>(count), std::move(more));
  }

  void histogram(const Metrics::Entry& entry, const DurationHistogram& durations) {
    prometheus::ClientMetric::Histogram& histogram = labelled(entry, {}).histogram;
    histogram.sample_count = durations.count();
    histogram.sample_sum = seconds(durations.sum());
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < DurationHistogram::kBoundsSeconds.size(); ++i) {
      cumulative += durations.buckets()[i];
      histogram.bucket.push_back({cumulative, DurationHistogram::kBoundsSeconds[i]});
    }
    histogram.bucket.push_back({durations.count(), std::numeric_limits<double>::infinity()});
  }

  prometheus::ClientMetric& labelled(const Metrics::Entry& entry, Labels more) {
    const MetricsIdentity& identity = metrics_.identity_;
    prometheus::ClientMetric metric;
    metric.label = {{"instance", identity.instance},    {"trigger_kind", entry.source->kind},
                    {"trigger_id", entry.source->name}, {"namespace", identity.namespace_name},
                    {"function", identity.function},    {"project", identity.project}};
    std::ranges::move(more, std::back_inserter(metric.label));
    return families_.back().metric.emplace_back(std::move(metric));
  }

  void add_events() {
    family("handled_events_total", "Events by what became of them.", Type::Counter);
    for (const auto& entry : metrics_.entries_) {
      value(entry, entry.counts.succeeded, {{"result", "success"}});
      value(entry, entry.counts.failed, {{"result", "failure"}});
    }
    family("handled_events_duration_milliseconds_sum", "The handler's own time, summed up.", Type::Counter);
    for (const auto& entry : metrics_.entries_)
      for (std::size_t i = 0; i < workers(entry); ++i)
        value(entry, milliseconds(worker(entry, i).duration), {{"worker_index", std::to_string(i)}});
    family("handled_events_duration_milliseconds_count", "Events in the sum of durations.", Type::Counter);
    for (const auto& entry : metrics_.entries_)
      for (std::size_t i = 0; i < workers(entry); ++i)
        value(entry, worker(entry, i).events, {{"worker_index", std::to_string(i)}});
    family("handled_events_duration_seconds", "The handler's own time.", Type::Histogram);
    for (const auto& entry : metrics_.entries_) histogram(entry, entry.counts.handling);
    family("events_in_flight", "Events that are worked on or wait for a worker.", Type::Gauge);
    for (const auto& entry : metrics_.entries_) value(entry, static_cast<double>(entry.counts.in_flight));
  }

  void add_allocations() {
    family("worker_allocation_total", "Events by how they got a worker.", Type::Counter);
    for (const auto& entry : metrics_.entries_) {
      value(entry, entry.source->allocations.immediate, {{"result", "success_immediate"}});
      value(entry, entry.source->allocations.after_wait, {{"result", "success_after_wait"}});
      value(entry, entry.source->allocations.timed_out, {{"result", "error_timeout"}});
    }
    family("worker_allocation_count", "Events that asked for a worker.", Type::Counter);
    for (const auto& entry : metrics_.entries_) value(entry, entry.source->allocations.total());
    family("worker_allocation_wait_duration_milliseconds_sum", "Time that events waited for a worker, summed up.",
           Type::Counter);
    for (const auto& entry : metrics_.entries_) value(entry, milliseconds(entry.source->allocations.wait));
    family("worker_allocation_workers_available_percentage",
           "Percentage of workers that were idle when an event came, summed up.", Type::Counter);
    for (const auto& entry : metrics_.entries_) value(entry, entry.source->allocations.available_percent);
    family("worker_queue_wait_seconds", "Time that events waited for the worker that they got.", Type::Histogram);
    for (const auto& entry : metrics_.entries_) histogram(entry, entry.counts.queue_wait);
  }

  // These are the pool's, so triggers that share one say the same.
  void add_workers() {
    family("worker_pending_allocation_current", "Events that wait for a worker.", Type::Gauge);
    for (const auto& entry : metrics_.entries_) value(entry, entry.source->pool.waiting());
    family("workers", "Workers.", Type::Gauge);
    for (const auto& entry : metrics_.entries_) value(entry, entry.source->pool.size());
    family("workers_idle", "Workers that wait for an event.", Type::Gauge);
    for (const auto& entry : metrics_.entries_) value(entry, entry.source->pool.idle());
    family("worker_restarts_total", "Workers that had to be replaced.", Type::Counter);
    for (const auto& entry : metrics_.entries_) value(entry, entry.source->pool.restarts());
  }

  void add_http() {
    family("http_responses_total", "Answers to HTTP clients by status code.", Type::Counter);
    for (const auto& entry : metrics_.entries_)
      for (auto [status, count] : entry.counts.http_responses) value(entry, count, {{"code", std::to_string(status)}});
  }

  // A worker that has handled nothing yet is there too, with 0, so that rates work from its first event.
  static std::size_t workers(const Metrics::Entry& entry) {
    return std::max(entry.counts.workers.size(), entry.source->pool.size());
  }
  static TriggerCounts::PerWorker worker(const Metrics::Entry& entry, std::size_t index) {
    return index < entry.counts.workers.size() ? entry.counts.workers[index] : TriggerCounts::PerWorker{};
  }

  const Metrics& metrics_;
  std::vector<prometheus::MetricFamily> families_;
};

std::string Metrics::text() const {
  auto families = Exposition{*this}.families();
  std::erase_if(families, [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
  return prometheus::TextSerializer{}.Serialize(families);
}

namespace {

Task<http::Response> answer(const Metrics& metrics) {
  co_return http::Response::text(200, metrics.text(), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace

http::Router metrics_routes(const Metrics& metrics) {
  auto get = [&metrics](http::Request&, const http::PathParams&) { return answer(metrics); };
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
