// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string_view>

#include "base/result.h"
#include "loop/child.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::builder {

inline constexpr std::size_t kMaxLogLine = 8 << 10;  // bytes; what is longer is cut

// Each line of a log as it comes, without its end.
using LogLine = std::function<void(std::string_view line)>;

// Runs a program to its end. What it prints goes to `log`, where that is set. When the program fails the error is
// Why::invalid with the last lines that it printed, or, when there were none, with how it ended; Why::timeout at the
// deadline, Why::not_found when there is no such program. `log` is borrowed until the task is done.
Task<Result<void>> run_program(Loop& loop, ChildOptions program, const LogLine& log, Deadline deadline);

}  // namespace nuclio::builder
