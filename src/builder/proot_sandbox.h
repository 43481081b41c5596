// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nuclio::builder {

// What `builder proot` does: runs commands as `builder sandbox` does, with the same descriptors, for where there are no
// user namespaces. See docs/dev/decisions/0012-commands-in-a-job.md. Returns the program's exit code; the outcome is
// where it was to be written.
int run_proot_sandbox();

}  // namespace nuclio::builder
