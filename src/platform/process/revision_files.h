// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "spec/function.h"
#include "spec/platform_config.h"

namespace nuclio::platform::process {

// Writes what a processor reads at its start: processor.yaml, the function's config, and platform.yaml, the platform's
// with each internal listener on a free port of this machine alone.
Result<void> write_revision_files(const std::string& folder, const spec::FunctionConfig& config,
                                  const spec::PlatformConfig& platform);

// Replicas that a function has on this platform, which does not scale by itself.
int replica_count(const spec::FunctionSpec& spec);
inline constexpr int kMaxReplicas = 64;

// The environment of a processor: where programs, home and locale are, from the platform's own, and the function's
// variables, which win. Nothing else of ours reaches a function.
std::vector<std::string> function_environment(const std::vector<std::string>& own,
                                              const std::vector<spec::EnvironmentVariable>& variables);

}  // namespace nuclio::platform::process
