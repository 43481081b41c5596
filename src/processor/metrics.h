// SPDX-License-Identifier: Apache-2.0
// What the processor counts. How Prometheus reads it is in exposition.h.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "loop/task.h"
#include "processor/event.h"
#include "processor/pool_statistics.h"
#include "processor/worker.h"

namespace nuclio::processor {

struct Source;

// How long things took. Its buckets fit from a trivial native handler to one that takes a minute.
class DurationHistogram {
 public:
  static constexpr std::array kBoundsSeconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                0.1,    0.25,    0.5,    1.0,   2.5,    5.0,   10.0, 30.0,  60.0};
  void observe(std::chrono::nanoseconds duration);
  void add(const DurationHistogram& other);

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

  void add(const TriggerCounts& other);
};

// A trigger's counts and the state of its workers, as they were at one moment.
struct TriggerReport {
  std::string kind;
  std::string name;
  TriggerCounts counts;
  PoolStatistics allocations;
  // Of the pool, so triggers that share one say the same.
  std::size_t workers = 0;
  std::size_t idle = 0;
  std::size_t waiting = 0;     // events that wait for a worker
  std::uint64_t restarts = 0;  // workers that were replaced

  // The same trigger on another loop.
  void add(const TriggerReport& other);
};
using TriggerReports = std::vector<TriggerReport>;
// Puts together what several loops report of the same triggers.
void add_up(TriggerReports& sum, const TriggerReports& more);
// How those who show reports get them.
using GetReports = std::function<Task<TriggerReports>()>;

// Counts on its loop's thread, a few additions an event. What the pools count themselves is read from them when it is
// reported. Outlives the processor and the triggers of its loop.
class Metrics {
 public:
  // Names the triggers, before their first event. A source and its pool are borrowed until this is destroyed or reports
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

  TriggerReports report() const;

 private:
  struct Entry {
    const Source* source;
    TriggerCounts counts;
  };
  TriggerCounts& of(const Source& source);

  std::deque<Entry> entries_;  // InFlight keeps references into it
};

}  // namespace nuclio::processor
