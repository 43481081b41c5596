// SPDX-License-Identifier: Apache-2.0
#include "processor/metrics.h"

#include <algorithm>

#include "base/check.h"
#include "processor/processor.h"

namespace nuclio::processor {
namespace {

bool succeeded(const Result<Response>& result) { return result && !result->failure && result->status < 500; }

}  // namespace

void DurationHistogram::observe(std::chrono::nanoseconds duration) {
  auto bound = std::ranges::lower_bound(kBoundsSeconds, std::chrono::duration<double>(duration).count());
  ++buckets_[static_cast<std::size_t>(bound - kBoundsSeconds.begin())];
  ++count_;
  sum_ += duration;
}

void DurationHistogram::add(const DurationHistogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
}

void TriggerCounts::add(const TriggerCounts& other) {
  succeeded += other.succeeded;
  failed += other.failed;
  in_flight += other.in_flight;
  handling.add(other.handling);
  queue_wait.add(other.queue_wait);
  if (workers.size() < other.workers.size()) workers.resize(other.workers.size());
  for (std::size_t i = 0; i < other.workers.size(); ++i) {
    workers[i].events += other.workers[i].events;
    workers[i].duration += other.workers[i].duration;
  }
  for (auto [status, count] : other.http_responses) http_responses[status] += count;
}

void TriggerReport::add(const TriggerReport& other) {
  counts.add(other.counts);
  allocations.add(other.allocations);
  workers += other.workers;
  idle += other.idle;
  waiting += other.waiting;
  restarts += other.restarts;
}

void add_up(TriggerReports& sum, const TriggerReports& more) {
  for (const TriggerReport& report : more) {
    auto same = std::ranges::find(sum, report.name, &TriggerReport::name);
    if (same == sum.end()) {
      sum.push_back(report);
    } else {
      same->add(report);
    }
  }
}

void Metrics::add(const Source& source) {
  CHECK(std::ranges::none_of(entries_, [&](const Entry& entry) { return entry.source->name == source.name; }));
  entries_.push_back({&source, {}});
}

// There are as many as triggers, so looking at each is the fastest way.
TriggerCounts& Metrics::of(const Source& source) {
  auto entry = std::ranges::find(entries_, &source, &Entry::source);
  CHECK(entry != entries_.end());
  return entry->counts;
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

TriggerReports Metrics::report() const {
  TriggerReports reports;
  for (const auto& [source, counts] : entries_)
    reports.push_back({.kind = source->kind,
                       .name = source->name,
                       .counts = counts,
                       .allocations = source->allocations,
                       .workers = source->pool.size(),
                       .idle = source->pool.idle(),
                       .waiting = source->pool.waiting(),
                       .restarts = source->pool.restarts()});
  return reports;
}

}  // namespace nuclio::processor
