// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "load/histogram.h"

namespace nuclio::load {

// How a request ended that was not answered whole.
enum class Failure {
  refused,               // nobody listens
  unreachable,           // the connection could not be made for another reason
  reset_before_answer,   // the first request of a connection met its end before any byte of an answer
  closed_before_answer,  // the same for a later one: the server may have closed an idle connection; safe to repeat
  closed_mid_answer,
  timed_out,
  garbled,  // the answer is no HTTP
};
constexpr std::size_t kFailures = 7;
std::string_view name(Failure failure);

// What became of the requests of a run. Each that was sent has either one status or one failure.
class Report {
 public:
  // Durations count from the moment at which the request was due. `at`: time since the run began.
  void answered(int status, std::chrono::nanoseconds took, std::chrono::nanoseconds at);
  void failed(Failure failure, std::chrono::nanoseconds at);

  // One object: counts, latencies in µs of all answers, of each class ("2xx") and of each status, and for each second
  // of the run the answers that were ok (below 400), rejected (429, 503) and everything else.
  std::string json() const;

  std::uint64_t sent = 0;
  std::uint64_t unsent = 0;            // were due and found no connection before the end
  std::uint64_t closed_by_server = 0;  // connections, each in a moment at which that is no fault
  std::uint64_t bytes_received = 0;
  std::chrono::nanoseconds duration{0};  // from the first due time to the last end

 private:
  struct Second {
    std::uint64_t ok = 0, rejected = 0, failed = 0;
  };
  Second& second(std::chrono::nanoseconds at);

  std::map<int, std::uint64_t> statuses_;
  std::map<std::string, Histogram> latencies_;  // at most 1 + 9 + 900
  std::array<std::uint64_t, kFailures> failures_{};
  std::vector<Second> seconds_;
};

}  // namespace nuclio::load
