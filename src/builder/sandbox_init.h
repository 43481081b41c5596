// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "builder/sandbox_job.h"
#include "builder/sandbox_root.h"

namespace nuclio::builder {

// The first process of a sandbox: enters its root and runs the commands there, one after the other, each with what the
// one before left on disk and nothing of what it left running. When the process that calls it ends, all others of the
// sandbox do. It trusts nothing of what it sees in there: only what it returns goes out.
SandboxOutcome run_init(const CommandsJob& job, const CommandsLimits& limits, const RootFolders& folders,
                        const LogLine& log);

}  // namespace nuclio::builder
