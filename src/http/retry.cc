// SPDX-License-Identifier: Apache-2.0
#include "http/retry.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <random>
#include <string>

namespace nuclio::http {
namespace {

// Nobody waits longer than that for a server, deadline or not.
constexpr std::chrono::minutes kLongestPause{5};

// So that those who were turned away together do not come back together.
std::chrono::milliseconds scattered(std::chrono::milliseconds pause) {
  thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<std::int64_t> percent{75, 125};
  return pause * percent(random) / 100;
}

}  // namespace

Task<bool> Backoff::again(std::optional<std::chrono::seconds> asked) {
  if (done_ >= policy_.attempts) co_return false;
  ++done_;
  std::chrono::milliseconds pause = scattered(pause_);
  pause_ = std::min(pause_ * 2, policy_.most);
  if (asked) pause = std::max(pause, std::chrono::milliseconds{*asked});
  const Deadline then = Deadline::in(pause);
  if (then >= deadline_ || pause > kLongestPause) co_return false;
  co_await loop_.sleep_until(then);
  co_return true;
}

bool passes(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

bool passes(const Error& error) { return error.why == Why::unavailable || error.why == Why::timeout; }

std::optional<std::chrono::seconds> retry_after(const Headers& headers) {
  const std::string text(headers.get("Retry-After"));
  if (text.empty()) return {};
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc{} && end == text.data() + text.size() && seconds >= 0) return std::chrono::seconds{seconds};
  std::tm when{};
  if (!::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &when)) return {};
  return std::chrono::seconds{std::max<std::time_t>(::timegm(&when) - std::time(nullptr), 0)};
}

}  // namespace nuclio::http
