// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>

#include "base/result.h"
#include "builder/commands.h"
#include "builder/sandbox_store.h"

namespace nuclio::builder {

// Waits until a descriptor has something to be read, or its other end is closed: a process's that commands run in. The
// error says why it must not go on: what `check`, which is asked twice a second, says, or Why::timeout after SIGTERM,
// which is blocked.
Result<void> watch_until(int descriptor, const std::function<Result<void>()>& check);

// Whether commands that wrote so much, in `folder`, may go on.
Result<void> check_disk(const std::string& folder, const Usage& written, const CommandsLimits& limits);

}  // namespace nuclio::builder
