// SPDX-License-Identifier: Apache-2.0
// What `builder sandbox` is told, and what it answers: JSON texts between two processes of the same build.
#pragma once
#include <optional>
#include <string>

#include "base/result.h"
#include "builder/commands.h"
#include "loop/child.h"

namespace nuclio::builder {

// The sandbox reads its job at descriptor 0 and logs to 1 and 2.
inline constexpr int kSandboxTar = 3;      // it writes the layer's tar here
inline constexpr int kSandboxOutcome = 4;  // and at the end how it went

struct SandboxJob {
  CommandsJob job;
  std::string cache;
  oci::ImageTime modified;
  CommandsLimits limits;
};

std::string sandbox_job_text(const SandboxJob& job);
Result<SandboxJob> parse_sandbox_job(const std::string& text);

struct FailedCommand {
  std::size_t index;
  ExitStatus status;
};

// At most one of them; neither when the commands were run and the tar is complete.
struct SandboxOutcome {
  std::optional<Error> error;
  std::optional<FailedCommand> failed;
};

std::string sandbox_outcome_text(const SandboxOutcome& outcome);
Result<SandboxOutcome> parse_sandbox_outcome(const std::string& text);

}  // namespace nuclio::builder
