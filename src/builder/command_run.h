// SPDX-License-Identifier: Apache-2.0
// How a job's commands run, wherever they do.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "builder/sandbox_job.h"

namespace nuclio::builder {

// The job's environment, with what is missing of it, as execve() takes it.
class CommandEnvironment {
 public:
  CommandEnvironment(const CommandsJob& job, const std::string& home);
  CommandEnvironment(const CommandEnvironment&) = delete;
  char* const* pointers() const { return pointers_.data(); }

 private:
  std::vector<std::string> variables_;
  std::vector<char*> pointers_;
};

// Of this process, which is about to become a command: the size of its files, no core dumps, nothing to read, and
// signals as a program expects them. errno says why it could not be had.
bool prepare_command(const CommandsLimits& limits);

// Runs one command after the other until one fails, each announced in the log.
Result<std::optional<FailedCommand>> run_each(const CommandsJob& job, const LogLine& log,
                                              const std::function<Result<ExitStatus>(const std::string&)>& run);

// What is wrong with a base without a shell.
Error no_shell();

}  // namespace nuclio::builder
