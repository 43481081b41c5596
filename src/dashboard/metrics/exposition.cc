// SPDX-License-Identifier: Apache-2.0
#include "dashboard/metrics/exposition.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace nuclio::dashboard {
namespace {

constexpr std::string_view kPrefix = "nuclio_processor_";

struct Sample {
  std::string_view name;    // without the prefix
  std::string_view labels;  // as they stand between the braces
  double value = 0;
};

// The value of a label, as it stands; those that are asked for here need no escapes.
std::string_view label(std::string_view labels, std::string_view wanted) {
  while (!labels.empty()) {
    const std::size_t equals = labels.find("=\"");
    if (equals == std::string_view::npos) return {};
    const std::string_view name = labels.substr(0, equals);
    labels.remove_prefix(equals + 2);
    std::size_t end = 0;
    while (end < labels.size() && labels[end] != '"') end += labels[end] == '\\' ? 2 : 1;
    if (end >= labels.size()) return {};
    if (name == wanted) return labels.substr(0, end);
    labels.remove_prefix(end + 1);
    if (labels.starts_with(',')) labels.remove_prefix(1);
  }
  return {};
}

bool read_number(std::string_view text, double& out) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with("Inf")) {
    out = std::numeric_limits<double>::infinity();
    return true;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{};
}

bool read_line(std::string_view line, Sample& out) {
  if (!line.starts_with(kPrefix)) return false;
  line.remove_prefix(kPrefix.size());
  const std::size_t name_end = line.find_first_of("{ ");
  const std::size_t blank = line.rfind(' ');  // a time stamp would stand behind the value, and is never written
  if (name_end == std::string_view::npos || blank < name_end) return false;
  out.name = line.substr(0, name_end);
  out.labels = {};
  if (line[name_end] == '{') {
    const std::size_t close = line.rfind('}', blank);
    if (close == std::string_view::npos || close < name_end) return false;
    out.labels = line.substr(name_end + 1, close - name_end - 1);
  }
  return read_number(line.substr(blank + 1), out.value) && out.value >= 0;
}

std::uint64_t whole(double value) { return static_cast<std::uint64_t>(std::min(value, 1e18) + 0.5); }

// The trigger that a sample is of; of more than there may be, one that nobody sees.
TriggerPoint& trigger_of(const Sample& sample, TriggerPoints& triggers, TriggerPoint& none) {
  const std::string_view name = label(sample.labels, "trigger_id");
  const auto found = triggers.find(name);
  if (found != triggers.end()) return found->second;
  if (name.empty() || triggers.size() >= kMostTriggers) return none;
  return triggers[std::string(name)];
}

}  // namespace

Counted read_exposition(std::string_view text) {
  Counted counted;
  Point& out = counted.all;
  TriggerPoint none;
  std::map<double, double> cumulative;  // events that took at most so long, all triggers together
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    Sample sample;
    const bool is_sample = read_line(text.substr(0, end), sample);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!is_sample) continue;
    if (sample.name == "handled_events_total") {
      out.known = true;
      TriggerPoint& trigger = trigger_of(sample, counted.triggers, none);
      const bool succeeded = label(sample.labels, "result") == "success";
      (succeeded ? out.succeeded : out.failed) += whole(sample.value);
      (succeeded ? trigger.succeeded : trigger.failed) += whole(sample.value);
    } else if (sample.name == "handled_events_duration_seconds_bucket") {
      double bound = 0;
      if (read_number(label(sample.labels, "le"), bound)) cumulative[bound] += sample.value;
    } else if (sample.name == "worker_queue_wait_seconds_sum") {
      out.wait_microseconds += whole(sample.value * 1e6);
    } else if (sample.name == "worker_queue_wait_seconds_count") {
      out.waits += whole(sample.value);
    } else if (sample.name == "events_in_flight") {
      out.in_flight += whole(sample.value);
      trigger_of(sample, counted.triggers, none).in_flight += whole(sample.value);
    } else if (sample.name == "workers") {
      out.workers += whole(sample.value);
      trigger_of(sample, counted.triggers, none).workers += whole(sample.value);
    } else if (sample.name == "workers_idle") {
      trigger_of(sample, counted.triggers, none).idle += whole(sample.value);
    } else if (sample.name == "worker_pending_allocation_current") {
      trigger_of(sample, counted.triggers, none).waiting += whole(sample.value);
    } else if (sample.name == "memory_bytes") {
      out.memory_bytes += whole(sample.value);
    }
  }
  double below = 0;
  for (const auto& [bound, count] : cumulative) {
    const auto* ours = std::ranges::lower_bound(kDurationBoundsSeconds, bound * (1 - 1e-9));
    out.handling[static_cast<std::size_t>(ours - kDurationBoundsSeconds.begin())] +=
        whole(std::max(count - below, 0.0));
    below = std::max(below, count);
  }
  out.replicas = out.known ? 1 : 0;
  return counted;
}

Point since(const Point& before, const Point& now) {
  bool anew = now.succeeded < before.succeeded || now.failed < before.failed || now.waits < before.waits;
  for (std::size_t i = 0; i < now.handling.size(); ++i) anew = anew || now.handling[i] < before.handling[i];
  if (anew) return now;
  Point out = now;
  out.succeeded -= before.succeeded;
  out.failed -= before.failed;
  out.waits -= before.waits;
  out.wait_microseconds -= std::min(out.wait_microseconds, before.wait_microseconds);
  for (std::size_t i = 0; i < out.handling.size(); ++i) out.handling[i] -= before.handling[i];
  return out;
}

Counted since(const Counted& before, const Counted& now) {
  Counted out{since(before.all, now.all), now.triggers};
  for (auto& [name, trigger] : out.triggers) {
    const auto found = before.triggers.find(name);
    if (found == before.triggers.end()) continue;
    const TriggerPoint& was = found->second;
    if (trigger.succeeded < was.succeeded || trigger.failed < was.failed) continue;
    trigger.succeeded -= was.succeeded;
    trigger.failed -= was.failed;
  }
  return out;
}

void add_beside(TriggerPoints& sum, const TriggerPoints& other) {
  for (const auto& [name, each] : other) {
    TriggerPoint& to = sum[name];
    to.succeeded += each.succeeded;
    to.failed += each.failed;
    to.in_flight += each.in_flight;
    to.workers += each.workers;
    to.idle += each.idle;
    to.waiting += each.waiting;
  }
}

}  // namespace nuclio::dashboard
