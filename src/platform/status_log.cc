// SPDX-License-Identifier: Apache-2.0
#include "platform/status_log.h"

#include <algorithm>
#include <boost/json.hpp>

namespace nuclio::platform {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostLines = 500;
// A double has room for it in any year.
constexpr double kLater = 0.001;

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

void add_log_line(std::vector<json::object>& logs, std::string_view level, std::string_view message, SystemTime now) {
  double time = std::chrono::duration<double, std::milli>(now.time_since_epoch()).count();
  if (!logs.empty())
    if (const json::value* before = logs.back().if_contains("time"); before && before->is_number())
      time = std::max(time, before->to_number<double>() + kLater);
  if (logs.size() >= kMostLines) logs.erase(logs.begin());
  logs.push_back({{"level", view(level)}, {"message", view(message)}, {"time", time}});
}

}  // namespace nuclio::platform
