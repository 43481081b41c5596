// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <bitset>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nuclio::spec {

// When a cron trigger fires; in UTC. A value without state, so any thread may ask it.
class CronSchedule final {
 public:
  using Time = std::chrono::system_clock::time_point;

  // Five fields (minute, hour, day of month, month, day of week) or six with seconds first; lists, ranges, steps, names
  // of months and days, `?` for `*`; a `*` for the seconds means 0, as Nuclio has it. Also @every <duration>, @hourly,
  // @daily or @midnight, @weekly, @monthly, and @yearly or @annually. Days of month and of week that are both given are
  // alternatives, as in every cron. Why::invalid names the field that is wrong, or says that the day never comes.
  static Result<CronSchedule> parse(std::string_view text);

  // Every `interval`, which must be positive.
  static CronSchedule every(std::chrono::nanoseconds interval);

  // As a CronJob of Kubernetes keeps it: five fields of numbers, or "@every 5m0s". Nothing when it keeps none such,
  // since it knows whole minutes only, and takes days of month and of week for alternatives even where both are to
  // be: "*/2" and Monday.
  std::optional<std::string> for_cron_job() const;

  // The first time after `time`. An interval counts from `time` itself.
  Time next_after(Time time) const;

 private:
  struct Fields {
    std::bitset<60> seconds;
    std::bitset<60> minutes;
    std::bitset<24> hours;
    std::bitset<32> days;      // of the month, from 1
    std::bitset<13> months;    // from 1
    std::bitset<7> week_days;  // Sunday is 0
    bool any_day = true;
    bool any_week_day = true;
  };
  explicit CronSchedule(std::chrono::nanoseconds interval) : interval_(interval) {}
  explicit CronSchedule(const Fields& fields) : fields_(fields) {}

  static Result<Fields> parse_fields(std::string_view text);
  bool matches(std::chrono::year_month_day day) const;
  std::optional<std::chrono::seconds> first_time_of_day(std::chrono::seconds from) const;
  std::optional<Time> find_after(Time time) const;

  std::chrono::nanoseconds interval_{0};  // zero: the fields decide
  Fields fields_;
};

}  // namespace nuclio::spec
