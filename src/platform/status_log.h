// SPDX-License-Identifier: Apache-2.0
// What a function's status says of its last build and deploy.
#pragma once
#include <boost/json/object.hpp>
#include <string_view>
#include <vector>

#include "loop/clock.h"

namespace nuclio::platform {

// Adds a line {level, message, time} to status.logs, of which the last 500 are kept. The time is in milliseconds and
// parts of them, and later than that of the line before, however quickly they follow one another: Nuclio's clients ask
// again and again, and show what is later than what they have shown.
void add_log_line(std::vector<boost::json::object>& logs, std::string_view level, std::string_view message,
                  SystemTime now = std::chrono::system_clock::now());

}  // namespace nuclio::platform
