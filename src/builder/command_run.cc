// SPDX-License-Identifier: Apache-2.0
#include "builder/command_run.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string_view>
#include <utility>

namespace nuclio::builder {
namespace {

constexpr const char* kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool has_variable(const std::vector<std::string>& environment, std::string_view start) {
  return std::ranges::any_of(environment, [&](const std::string& each) { return each.starts_with(start); });
}

}  // namespace

CommandEnvironment::CommandEnvironment(const CommandsJob& job, const std::string& home) : variables_(job.environment) {
  if (!has_variable(variables_, "PATH=")) variables_.emplace_back(kPath);
  if (!has_variable(variables_, "HOME=")) variables_.push_back("HOME=" + home);
  for (std::string& each : variables_) pointers_.push_back(each.data());
  pointers_.push_back(nullptr);
}

bool prepare_command(const CommandsLimits& limits) {
  const std::pair<__rlimit_resource, std::uint64_t> all[] = {{RLIMIT_FSIZE, limits.file.count}, {RLIMIT_CORE, 0}};
  for (const auto& [which, most] : all) {
    rlimit limit{};
    if (::getrlimit(which, &limit) != 0) return false;
    limit.rlim_max = limit.rlim_cur = std::min(limit.rlim_max, most);  // what we have ourselves may be less
    if (::setrlimit(which, &limit) != 0) return false;
  }
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0 || ::dup2(null, STDIN_FILENO) < 0) return false;
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  return true;
}

Result<std::optional<FailedCommand>> run_each(const CommandsJob& job, const LogLine& log,
                                              const std::function<Result<ExitStatus>(const std::string&)>& run) {
  for (std::size_t i = 0; i < job.commands.size(); ++i) {
    log("RUN " + job.commands[i]);
    TRY(const ExitStatus status, run(job.commands[i]));
    if (!status.ok()) return FailedCommand{i, status};
  }
  return std::optional<FailedCommand>{};
}

Error no_shell() {
  return {Why::invalid,
          "the base image has no /bin/sh, so that spec.build.commands cannot be run in it; choose one with a shell"};
}

}  // namespace nuclio::builder
