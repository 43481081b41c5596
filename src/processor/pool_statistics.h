// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>

namespace nuclio::processor {

// How one trigger's events fared in getting a worker, also when it shares the pool with other triggers. Counted since
// the start; read and written on the loop's thread.
struct PoolStatistics {
  std::uint64_t immediate = 0;       // a worker was idle
  std::uint64_t after_wait = 0;      // one came free in time
  std::uint64_t timed_out = 0;       // none did, or too many events waited already
  std::chrono::nanoseconds wait{0};  // of all events together, those that got none included
  double available_percent = 0;      // idle workers of all at each event's arrival, summed up

  void add(const PoolStatistics& other) {
    immediate += other.immediate;
    after_wait += other.after_wait;
    timed_out += other.timed_out;
    wait += other.wait;
    available_percent += other.available_percent;
  }
  std::uint64_t total() const { return immediate + after_wait + timed_out; }
};

}  // namespace nuclio::processor
