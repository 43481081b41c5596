// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox_init.h"

#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <optional>
#include <vector>

#include "builder/command_run.h"
#include "builder/fork_into.h"
#include "builder/identity.h"
#include "loop/descriptor.h"
#include "loop/stream.h"
#include "oci/file.h"

namespace nuclio::builder {
namespace {

constexpr Bytes kMaxTable{4u << 20};

// How a command's process got on before it was the command's.
struct Step {
  enum class Kind { identity, folder, program, other } kind = Kind::other;
  int error_number = 0;
};

struct Command {
  std::string text;
  const CommandEnvironment& environment;
  const CommandsJob& job;
  const CommandsLimits& limits;
  const Identity& identity;
};

bool limit_processes(std::size_t most) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NPROC, &limit) != 0) return false;
  limit.rlim_max = limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, most);  // what we have ourselves may be less
  return ::setrlimit(RLIMIT_NPROC, &limit) == 0;
}

// Becomes the command, or returns at which step that was not possible.
Step become(const Command& command) {
  const Identity& who = command.identity;
  // Also without a terminal that it could be read from or written to.
  ::setsid();
  if (!limit_processes(command.limits.processes) || !drop_capabilities()) return {Step::Kind::other, errno};
  // EPERM: where there is only one id, nobody may set groups.
  if (::setgroups(who.groups.size(), who.groups.data()) != 0 && errno != EPERM) return {Step::Kind::identity, errno};
  if (::setresgid(who.group, who.group, who.group) != 0 || ::setresuid(who.user, who.user, who.user) != 0)
    return {Step::Kind::identity, errno};
  const std::string& folder = command.job.working_directory;
  if (::chdir(folder.empty() ? "/" : folder.c_str()) != 0) return {Step::Kind::folder, errno};
  if (!prepare_command(command.limits)) return {Step::Kind::other, errno};
  char shell[] = "/bin/sh";
  char flag[] = "-c";
  char* const argv[] = {shell, flag, const_cast<char*>(command.text.c_str()), nullptr};
  ::execve(shell, argv, command.environment.pointers());
  return {Step::Kind::program, errno};
}

Error step_error(Step step, const CommandsJob& job) {
  switch (step.kind) {
    case Step::Kind::identity:
      return {Why::invalid, "the image is run by the user \"" + job.user +
                                "\", who cannot be had: its number must be below 65536, and this machine must give the "
                                "builder's user a range of ids (/etc/subuid, /etc/subgid, newuidmap)"};
    case Step::Kind::folder:
      return errno_error("entering the image's folder " + job.working_directory, step.error_number);
    case Step::Kind::program: {
      if (step.error_number == ENOEXEC)
        return {Why::invalid,
                "the base image is for another processor architecture than this machine's: its /bin/sh cannot be run"};
      struct stat status{};
      if (step.error_number != ENOENT) return errno_error("running the base image's /bin/sh", step.error_number);
      if (::lstat("/bin/sh", &status) != 0) return no_shell();
      return {
          Why::invalid,
          "the base image's /bin/sh cannot be run, since it leads to nothing or the loader that it names is not there"};
    }
    case Step::Kind::other: break;
  }
  return errno_error("preparing a command", step.error_number);
}

// Runs one command and ends whatever it started.
Result<ExitStatus> run_command(const Command& command) {
  TRY(Pipe steps, make_pipe());
  const pid_t child = fork_into(0);
  if (child < 0) return fail_errno("starting a command");
  if (child == 0) {
    const Step step = become(command);
    (void)!::write(steps.write.get(), &step, sizeof step);
    ::_exit(127);
  }
  steps.write.reset();
  Step step;
  ssize_t got = 0;
  do {
    got = ::read(steps.read.get(), &step, sizeof step);
  } while (got < 0 && errno == EINTR);
  int status = 0;
  for (pid_t ended = 0; ended != child;) {
    int its = 0;
    ended = ::waitpid(-1, &its, 0);  // also the orphans of others, whose parent we are
    if (ended == child) status = its;
    if (ended < 0 && errno != EINTR) return fail_errno("waiting for a command");
  }
  ::kill(-1, SIGKILL);
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  if (got == sizeof step) return fail(step_error(step, command.job));
  if (WIFSIGNALED(status)) return ExitStatus{.signal = WTERMSIG(status)};
  return ExitStatus{.code = WEXITSTATUS(status)};
}

// The image's users, of files that nobody has run anything against yet.
Result<Identity> identity_of(const std::string& user) {
  return find_identity(user, oci::read_whole_file("/etc/passwd", kMaxTable).value_or(""),
                       oci::read_whole_file("/etc/group", kMaxTable).value_or(""));
}

Result<std::optional<FailedCommand>> run_all(const CommandsJob& job, const CommandsLimits& limits,
                                             const RootFolders& folders, const LogLine& log) {
  limit_namespace(limits.processes);
  TRY_DO(enter_root(folders, log));
  if (!job.network) TRY_DO(bring_up_loopback());
  leave_abstract_sockets();

  TRY(const Identity identity, identity_of(job.user));
  const CommandEnvironment environment{job, identity.home};
  std::error_code error;
  if (!job.working_directory.empty()) std::filesystem::create_directories(job.working_directory, error);
  if (error) return fail(errno_error("making the image's folder " + job.working_directory, error.value()));
  return run_each(
      job, log, [&](const std::string& command) { return run_command({command, environment, job, limits, identity}); });
}

}  // namespace

SandboxOutcome run_init(const CommandsJob& job, const CommandsLimits& limits, const RootFolders& folders,
                        const LogLine& log) {
  auto failed = run_all(job, limits, folders, log);
  if (!failed) return {.error = std::move(failed).error()};
  return {.failed = *failed};
}

}  // namespace nuclio::builder
