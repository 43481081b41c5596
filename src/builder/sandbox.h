// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nuclio::builder {

// What `builder sandbox` does: see sandbox_job.h for its descriptors. Returns the program's exit code; the outcome is
// where it was to be written.
int run_sandbox();

}  // namespace nuclio::builder
