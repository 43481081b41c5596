// SPDX-License-Identifier: Apache-2.0
#include "k8s/time.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <limits>

namespace nuclio::k8s {

namespace {

// A clock that counts nanoseconds ends in 2262, and "never" is often written as 9999.
std::chrono::system_clock::time_point at(std::int64_t seconds) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
  return std::chrono::system_clock::time_point{std::chrono::seconds{std::clamp(seconds, -kMost, kMost)}};
}

}  // namespace

std::string micro_time(std::chrono::system_clock::time_point time) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = micros / 1'000'000 - (micros % 1'000'000 < 0 ? 1 : 0);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> date;
  std::array<char, 16> rest;
  const std::size_t size = std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(rest.data(), rest.size(), ".%06dZ", static_cast<int>(micros - seconds * 1'000'000));
  return std::string(date.data(), size) + rest.data();
}

std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text) {
  const std::string whole{text};
  std::tm parts{};
  const char* rest = ::strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (!rest) return {};
  if (*rest == '.')
    while (*++rest >= '0' && *rest <= '9') continue;
  if (*rest == 'Z' && rest[1] == '\0') return at(::timegm(&parts));
  std::tm zone{};
  const char* end = *rest == '+' || *rest == '-' ? ::strptime(rest + 1, "%H:%M", &zone) : nullptr;
  if (!end || *end != '\0') return {};
  const int offset = (zone.tm_hour * 60 + zone.tm_min) * 60 * (*rest == '-' ? -1 : 1);
  return at(::timegm(&parts) - offset);
}

}  // namespace nuclio::k8s
