// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nuclio {

// A duration as Go writes it: a sign, then numbers with units h, m, s, ms, us (or µs) and ns, such as "1h30m", "1.5s"
// or "500ms"; zero may stand without a unit. Why::invalid for anything else and for what does not fit (about 292
// years).
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

// The shortest form in which Go prints it: "1h30m0s", "1.5s", "500ms", "0s".
std::string format_duration(std::chrono::nanoseconds duration);

}  // namespace nuclio
