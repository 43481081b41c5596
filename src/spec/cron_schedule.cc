// SPDX-License-Identifier: Apache-2.0
#include "spec/cron_schedule.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/duration.h"

namespace nuclio::spec {
namespace {

using namespace std::chrono_literals;

// February 29th comes once in eight years around a century that is no leap year.
constexpr auto kLongestGap = std::chrono::days{9 * 366};

constexpr std::string_view kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                        "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view kWeekDays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct FieldRule {
  std::string_view name;
  int lowest;
  int highest;
  std::span<const std::string_view> words;  // the first one stands for `lowest`
};
constexpr FieldRule kSecond{"second", 0, 59, {}};
constexpr FieldRule kMinute{"minute", 0, 59, {}};
constexpr FieldRule kHour{"hour", 0, 23, {}};
constexpr FieldRule kDay{"day of month", 1, 31, {}};
constexpr FieldRule kMonth{"month", 1, 12, kMonths};
constexpr FieldRule kWeekDay{"day of week", 0, 7, kWeekDays};  // 7 is Sunday as well

constexpr std::pair<std::string_view, std::string_view> kNamed[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"}};

using Values = std::bitset<60>;

bool same_word(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  return std::ranges::equal(a, b, {}, upper, upper);
}

std::string quoted(std::string_view text) { return "\"" + std::string(text.substr(0, 60)) + "\""; }

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find_first_of(separators);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Result<int> parse_value(const FieldRule& rule, std::string_view text) {
  for (std::size_t i = 0; i < rule.words.size(); ++i)
    if (same_word(text, rule.words[i])) return rule.lowest + static_cast<int>(i);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < rule.lowest || value > rule.highest)
    return fail(Why::invalid, std::string(rule.name) + " must be from " + std::to_string(rule.lowest) + " to " +
                                  std::to_string(rule.highest) + ", is " + quoted(text));
  return value;
}

// "*", "5", "1-5", "*/10", "0-30/10" or "5/10", which goes on to the highest value.
Result<void> parse_range(const FieldRule& rule, std::string_view text, Values& out) {
  const std::size_t slash = text.find('/');
  const std::string_view range = text.substr(0, slash);
  int first = rule.lowest;
  int last = rule.name == kWeekDay.name ? 6 : rule.highest;
  if (range != "*" && range != "?") {
    const std::size_t dash = range.find('-');
    TRY(first, parse_value(rule, range.substr(0, dash)));
    if (dash != std::string_view::npos) {
      TRY(last, parse_value(rule, range.substr(dash + 1)));
      if (last < first)
        return fail(Why::invalid, std::string(rule.name) + " has a range that ends before it begins: " + quoted(range));
    } else if (slash == std::string_view::npos) {
      last = first;
    }
  }
  int step = 1;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
    if (error != std::errc{} || end != digits.data() + digits.size() || step < 1 || step > 60)
      return fail(Why::invalid, std::string(rule.name) + " has a step that is not from 1 to 60: " + quoted(digits));
  }
  for (int value = first; value <= last; value += step) out.set(static_cast<std::size_t>(value));
  return {};
}

Result<Values> parse_field(const FieldRule& rule, std::string_view text) {
  Values values;
  for (const std::string_view part : split(text, ",")) TRY_DO(parse_range(rule, part, values));
  return values;
}

template <std::size_t Size>
std::bitset<Size> narrow(const Values& values) {
  std::bitset<Size> out;
  for (std::size_t i = 0; i < Size; ++i) out[i] = values[i];
  return out;
}

// Numbers and ranges: "0,5,8-18".
template <std::size_t Size>
std::string text_of(const std::bitset<Size>& values, std::size_t lowest) {
  std::string out;
  for (std::size_t first = lowest; first < Size; ++first) {
    if (!values[first]) continue;
    std::size_t last = first;
    while (last + 1 < Size && values[last + 1]) ++last;
    out += (out.empty() ? "" : ",") + std::to_string(first);
    if (last > first) out += "-" + std::to_string(last);
    first = last;
  }
  return out;
}

bool is_any(std::string_view text) { return text.starts_with('*') || text.starts_with('?'); }

}  // namespace

Result<CronSchedule::Fields> CronSchedule::parse_fields(std::string_view text) {
  std::vector<std::string_view> parts = split(text, " \t");
  std::erase(parts, "");
  if (parts.size() != 5 && parts.size() != 6)
    return fail(Why::invalid,
                "must have five fields (minute, hour, day of month, month, day of week), six with seconds "
                "first, or be like @daily or @every 5s, has " +
                    std::to_string(parts.size()) + (parts.size() == 1 ? " field: " : " fields: ") + quoted(text));
  // Nuclio's users write "* * * * * *" and mean each minute: a star for the seconds is 0.
  if (parts.size() == 5)
    parts.insert(parts.begin(), "0");
  else if (parts[0] == "*")
    parts[0] = "0";
  Fields fields;
  TRY(fields.seconds, parse_field(kSecond, parts[0]));
  TRY(fields.minutes, parse_field(kMinute, parts[1]));
  TRY(const Values hours, parse_field(kHour, parts[2]));
  TRY(const Values days, parse_field(kDay, parts[3]));
  TRY(const Values months, parse_field(kMonth, parts[4]));
  TRY(Values week_days, parse_field(kWeekDay, parts[5]));
  if (week_days[7]) week_days.set(0);
  fields.hours = narrow<24>(hours);
  fields.days = narrow<32>(days);
  fields.months = narrow<13>(months);
  fields.week_days = narrow<7>(week_days);
  fields.any_day = is_any(parts[3]);
  fields.any_week_day = is_any(parts[5]);
  return fields;
}

Result<CronSchedule> CronSchedule::parse(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  if (text.starts_with("@every ")) {
    TRY(const std::chrono::nanoseconds interval, parse_duration(text.substr(7)));
    if (interval < 1ms) return fail(Why::invalid, "@every must be at least 1ms, is " + quoted(text.substr(7)));
    return every(interval);
  }
  for (const auto& [name, meaning] : kNamed)
    if (text == name) text = meaning;
  TRY(const Fields fields, parse_fields(text));
  CronSchedule schedule{fields};
  // Any fixed time would do; this one has a February 29th ahead.
  if (!schedule.find_after(Time{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}}))
    return fail(Why::invalid, "names a day that never comes: " + quoted(text));
  return schedule;
}

CronSchedule CronSchedule::every(std::chrono::nanoseconds interval) {
  CHECK(interval > 0ns);
  return CronSchedule{interval};
}

CronSchedule::Time CronSchedule::next_after(Time time) const {
  if (interval_ > 0ns) return time + interval_;
  const auto next = find_after(time);
  CHECK(next);  // parse() has seen that there is always a next one
  return *next;
}

std::optional<std::string> CronSchedule::for_cron_job() const {
  if (interval_ > 0ns) {
    if (interval_ < 1min || interval_ % 1s != 0ns) return std::nullopt;
    return "@every " + format_duration(interval_);
  }
  if (fields_.seconds != std::bitset<60>{1}) return std::nullopt;
  const auto text = [](const auto& values, std::size_t lowest) {
    return values.count() == values.size() - lowest ? "*" : text_of(values, lowest);
  };
  // A star, and only a star, says that the other kind of days decides alone.
  const std::string days = fields_.any_day ? text(fields_.days, 1) : text_of(fields_.days, 1);
  const std::string week_days = fields_.any_week_day ? text(fields_.week_days, 0) : text_of(fields_.week_days, 0);
  if (days != "*" && week_days != "*" && (fields_.any_day || fields_.any_week_day)) return std::nullopt;
  return text(fields_.minutes, 0) + " " + text(fields_.hours, 0) + " " + days + " " + text(fields_.months, 1) + " " +
         week_days;
}

bool CronSchedule::matches(std::chrono::year_month_day day) const {
  if (!fields_.months[static_cast<unsigned>(day.month())]) return false;
  const bool by_day = fields_.days[static_cast<unsigned>(day.day())];
  const bool by_week_day = fields_.week_days[std::chrono::weekday{std::chrono::sys_days{day}}.c_encoding()];
  return fields_.any_day || fields_.any_week_day ? by_day && by_week_day : by_day || by_week_day;
}

std::optional<std::chrono::seconds> CronSchedule::first_time_of_day(std::chrono::seconds from) const {
  const std::chrono::hh_mm_ss start{from};
  for (auto hour = static_cast<std::size_t>(start.hours().count()); hour < 24; ++hour) {
    if (!fields_.hours[hour]) continue;
    const bool same_hour = static_cast<long>(hour) == start.hours().count();
    for (auto minute = same_hour ? static_cast<std::size_t>(start.minutes().count()) : 0; minute < 60; ++minute) {
      if (!fields_.minutes[minute]) continue;
      const bool same_minute = same_hour && static_cast<long>(minute) == start.minutes().count();
      for (auto second = same_minute ? static_cast<std::size_t>(start.seconds().count()) : 0; second < 60; ++second)
        if (fields_.seconds[second])
          return std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
    }
  }
  return std::nullopt;
}

std::optional<CronSchedule::Time> CronSchedule::find_after(Time time) const {
  const auto from = std::chrono::floor<std::chrono::seconds>(time) + 1s;
  const auto today = std::chrono::floor<std::chrono::days>(from);
  for (auto day = today; day < today + kLongestGap; day += std::chrono::days{1}) {
    if (!matches(std::chrono::year_month_day{day})) continue;
    if (const auto of_day = first_time_of_day(day == today ? from - today : 0s)) return Time{day + *of_day};
  }
  return std::nullopt;
}

}  // namespace nuclio::spec
