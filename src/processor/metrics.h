// SPDX-License-Identifier: Apache-2.0
// What the processor counts, under Nuclio's names and some of our own, and where Prometheus reads it.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/router.h"
#include "processor/event.h"
#include "processor/worker.h"
#include "spec/platform_config.h"

namespace nuclio::processor {

struct Source;

// Said with every value.
struct MetricsIdentity {
  std::string instance;  // see instance_name()
  std::string namespace_name;
  std::string function;
  std::string project;
};

// How long things took. Its buckets fit from a trivial native handler to one that takes a minute.
class DurationHistogram {
 public:
  static constexpr std::array kBoundsSeconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                0.1,    0.25,    0.5,    1.0,   2.5,    5.0,   10.0, 30.0,  60.0};
  void observe(std::chrono::nanoseconds duration);

  std::uint64_t count() const { return count_; }
  std::chrono::nanoseconds sum() const { return sum_; }
  // Observations in each bucket alone; the last is above all bounds.
  std::span<const std::uint64_t> buckets() const { return buckets_; }

 private:
  std::array<std::uint64_t, kBoundsSeconds.size() + 1> buckets_{};
  std::uint64_t count_ = 0;
  std::chrono::nanoseconds sum_{0};
};

// What is known of one trigger's events since the start.
struct TriggerCounts {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;  // the handler raised or answered 500 or above, or nobody answered
  std::int64_t in_flight = 0;
  DurationHistogram handling;    // the handlers' own time
  DurationHistogram queue_wait;  // of events that got a worker
  struct PerWorker {
    std::uint64_t events = 0;
    std::chrono::nanoseconds duration{0};
  };
  std::vector<PerWorker> workers;               // by index
  std::map<int, std::uint64_t> http_responses;  // by status; http triggers only
};

// Counts on the loop's thread, a few additions an event, and puts the text together when it is read. What the pools
// count themselves is read from them then. Owned by the assembly; outlives the processor and the triggers.
class Metrics {
 public:
  explicit Metrics(MetricsIdentity identity) : identity_(std::move(identity)) {}

  // Names the triggers, before their first event. A source and its pool are borrowed until this is destroyed or read
  // for the last time.
  void add(const Source& source);

  // One more event of the source that is being worked on or waits for a worker, until this goes out of scope.
  class [[nodiscard]] InFlight {
   public:
    explicit InFlight(TriggerCounts& counts) : counts_(counts) { ++counts_.in_flight; }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { --counts_.in_flight; }

   private:
    TriggerCounts& counts_;
  };
  InFlight begin(const Source& source) { return InFlight{of(source)}; }
  // An event has got its worker after this long.
  void waited(const Source& source, std::chrono::nanoseconds wait) { of(source).queue_wait.observe(wait); }
  // An event that got no worker.
  void refused(const Source& source) { ++of(source).failed; }
  // What became of an event that had a worker.
  void handled(const Source& source, WorkerIndex worker, const Result<Response>& result);
  // What an http trigger's client was told.
  void answered(const Source& source, int http_status) { ++of(source).http_responses[http_status]; }

  // Nothing for a name that no source has.
  const TriggerCounts* counts(std::string_view trigger_name) const;
  const Source* source(std::string_view trigger_name) const;

  // All of it in Prometheus' text format.
  std::string text() const;

 private:
  friend class Exposition;
  struct Entry {
    const Source* source;
    TriggerCounts counts;
  };
  TriggerCounts& of(const Source& source);
  const Entry* find(std::string_view trigger_name) const;

  MetricsIdentity identity_;
  std::deque<Entry> entries_;  // InFlight keeps references into it
};

// Answers GET /metrics. `metrics` is borrowed.
http::Router metrics_routes(const Metrics& metrics);

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
