// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <vector>

#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::oci {

// Runs the tasks, at most `at_once` of them at a time, and ends when all have. The first error cancels the others and
// is the result.
Task<Result<void>> in_parallel(Loop& loop, std::size_t at_once, std::vector<Task<Result<void>>> tasks);

}  // namespace nuclio::oci
