// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string_view>

#include "base/result.h"
#include "load/run.h"

namespace nuclio::load {

// From arguments without the program's name, each as "--flag value" or "--flag=value". Why::invalid says what is
// missing, unknown or out of range.
Result<Plan> parse_plan(std::span<const char* const> arguments);

std::string_view usage();

}  // namespace nuclio::load
