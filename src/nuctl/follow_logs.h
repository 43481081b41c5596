// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "loop/task.h"
#include "nuctl/session.h"

namespace nuclio::nuctl {

// Prints what the function's replicas log from now on, those that come later too, until it is cancelled. Waits for the
// function when it does not exist yet.
Task<void> follow_logs(Session& session, std::string name);

}  // namespace nuclio::nuctl
