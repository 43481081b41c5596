// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <vector>

namespace nuclio::dashboard {

// `dashboard token create|list|revoke` and `dashboard hash-password`, for whoever runs a dashboard: they need its
// folder or its cluster, not itself. `arguments` without the program's name. Gives the exit code, having said all there
// is to say.
int run_token_command(std::span<const std::string> arguments, const std::vector<std::string>& environment);
int run_hash_password();

}  // namespace nuclio::dashboard
