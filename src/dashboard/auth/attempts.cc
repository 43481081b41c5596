// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/attempts.h"

#include <algorithm>
#include <array>

namespace nuclio::dashboard {
namespace {

using namespace std::chrono_literals;

constexpr auto kWindow = 5min;  // after the first failure all is forgotten
constexpr std::size_t kMostKeys = 4096;

struct Limit {
  std::string key;
  int failures;
};

// Neither name nor address can have a line feed; a name that does is no user's.
std::array<Limit, 3> limits(std::string_view user, std::string_view address) {
  const std::string name{user.substr(0, 256)};
  const std::string from{address};
  return {Limit{"both\n" + name + "\n" + from, 10}, Limit{"user\n" + name, 100}, Limit{"from\n" + from, 100}};
}

}  // namespace

std::chrono::seconds Attempts::wait(std::string_view user, std::string_view address, SteadyTime now) const {
  std::chrono::seconds longest{0};
  for (const Limit& limit : limits(user, address)) {
    const auto found = failures_.find(limit.key);
    if (found == failures_.end() || found->second.count < limit.failures) continue;
    const auto left = found->second.first + kWindow - now;
    if (left > 0s) longest = std::max(longest, std::chrono::ceil<std::chrono::seconds>(left));
  }
  return longest;
}

void Attempts::count(const std::string& key, SteadyTime now) {
  if (failures_.size() >= kMostKeys && !failures_.contains(key)) {
    std::erase_if(failures_, [&](const auto& each) { return each.second.first + kWindow <= now; });
    if (failures_.size() >= kMostKeys)
      failures_.erase(std::ranges::min_element(failures_, {}, [](const auto& each) { return each.second.first; }));
  }
  Failures& failures = failures_[key];
  if (failures.count == 0 || failures.first + kWindow <= now) failures = {0, now};
  ++failures.count;
}

void Attempts::failed(std::string_view user, std::string_view address, SteadyTime now) {
  for (const Limit& limit : limits(user, address)) count(limit.key, now);
}

void Attempts::succeeded(std::string_view user, std::string_view address) {
  failures_.erase(limits(user, address)[0].key);
}

}  // namespace nuclio::dashboard
