// SPDX-License-Identifier: Apache-2.0
#include "load/report.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <utility>

namespace nuclio::load {
namespace {

constexpr std::int64_t kMostSeconds = 7200;  // later events count into the last one

double micros(std::chrono::nanoseconds duration) {
  return std::round(static_cast<double>(duration.count()) / 100.0) / 10.0;
}

boost::json::object summary(const Histogram& histogram) {
  return {{"count", histogram.count()},
          {"p50", micros(histogram.quantile(0.5))},
          {"p90", micros(histogram.quantile(0.9))},
          {"p99", micros(histogram.quantile(0.99))},
          {"max", micros(histogram.max())}};
}

}  // namespace

std::string_view name(Failure failure) {
  switch (failure) {
    case Failure::refused: return "refused";
    case Failure::unreachable: return "unreachable";
    case Failure::reset_before_answer: return "reset_before_answer";
    case Failure::closed_before_answer: return "closed_before_answer";
    case Failure::closed_mid_answer: return "closed_mid_answer";
    case Failure::timed_out: return "timed_out";
    case Failure::garbled: return "garbled";
  }
  return "";
}

Report::Second& Report::second(std::chrono::nanoseconds at) {
  std::int64_t number = std::clamp<std::int64_t>(at / std::chrono::seconds{1}, 0, kMostSeconds - 1);
  if (std::cmp_greater_equal(number, seconds_.size())) seconds_.resize(number + 1);
  return seconds_[number];
}

void Report::answered(int status, std::chrono::nanoseconds took, std::chrono::nanoseconds at) {
  ++statuses_[status];
  latencies_["all"].add(took);
  latencies_[std::to_string(status / 100) + "xx"].add(took);
  latencies_[std::to_string(status)].add(took);
  Second& now = second(at);
  if (status < 400)
    ++now.ok;
  else if (status == 503 || status == 429)
    ++now.rejected;
  else
    ++now.failed;
}

void Report::failed(Failure failure, std::chrono::nanoseconds at) {
  ++failures_[static_cast<std::size_t>(failure)];
  ++second(at).failed;
}

std::string Report::json() const {
  boost::json::object statuses, errors, latencies, series;
  std::uint64_t answers = 0;
  for (const auto& [status, count] : statuses_) {
    statuses[std::to_string(status)] = count;
    answers += count;
  }
  for (std::size_t i = 0; i < kFailures; ++i) errors[name(static_cast<Failure>(i))] = failures_[i];
  for (const auto& [of, histogram] : latencies_) latencies[of] = summary(histogram);
  boost::json::array ok, rejected, failed;
  for (const Second& second : seconds_) {
    ok.push_back(second.ok);
    rejected.push_back(second.rejected);
    failed.push_back(second.failed);
  }
  series = {{"ok", std::move(ok)}, {"rejected", std::move(rejected)}, {"failed", std::move(failed)}};
  return boost::json::serialize(boost::json::object{
      {"seconds", std::chrono::duration<double>(duration).count()},
      {"sent", sent},
      {"answered", answers},
      {"unsent", unsent},
      {"statuses", std::move(statuses)},
      {"errors", std::move(errors)},
      {"closed_by_server", closed_by_server},
      {"bytes_received", bytes_received},
      {"latency_us", std::move(latencies)},
      {"series", std::move(series)},
  });
}

}  // namespace nuclio::load
