// SPDX-License-Identifier: Apache-2.0
// The job's layers are unpacked as this process's user, who is nobody in the image. The commands run under proot, which
// gives them another root and lets them believe that they are root. What they changed is found by comparing.
// Nothing here keeps commands from what this process may do: the pod does.
#include "builder/proot_sandbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/command_run.h"
#include "builder/descendants.h"
#include "builder/fork_into.h"
#include "builder/identity.h"
#include "builder/sandbox_channel.h"
#include "builder/sandbox_store.h"
#include "builder/sandbox_watch.h"
#include "loop/run.h"
#include "loop/stream.h"
#include "oci/beneath.h"
#include "oci/file.h"
#include "oci/snapshot.h"

namespace nuclio::builder {
namespace {

constexpr Bytes kMaxTable{4u << 20};
constexpr Bytes kMaxNames{1u << 20};
// proot ends when the last process does, with that one's status, so the shell tells its command's. The command itself
// does not see the descriptor.
constexpr const char* kScript = "/bin/sh -c \"$1\" 9>&-; echo $? >&9";
constexpr int kStatus = 9;
// What is in these is this machine's or proot's, and not the image's.
constexpr std::array kLeftAlone{"proc", "dev", "sys", "etc/resolv.conf", "etc/hosts"};
constexpr std::array kDevices{"null", "zero", "full", "random", "urandom"};

struct Root {
  std::string folder;  // absolute
  Usage usage;         // before the commands
};

Result<Descriptor> open_within(const std::string& root, const std::string& name, int flags) {
  TRY(const oci::Beneath beneath, oci::Beneath::open(root));
  TRY(const oci::Place place, beneath.find(name));
  Descriptor file{::openat(place.folder.get(), place.name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0644)};
  if (!file) return fail_errno("opening /" + name + " of the base");
  return file;
}

std::string table_within(const std::string& root, const std::string& name) {
  const auto file = open_within(root, name, O_RDONLY);
  if (!file) return "";
  return oci::read_whole_file("/proc/self/fd/" + std::to_string(file->get()), kMaxTable).value_or("");
}

// Names of the network are this machine's.
Result<void> show_names(const std::string& root) {
  for (const char* name : {"etc/resolv.conf", "etc/hosts"}) {
    const auto text = oci::read_whole_file(std::string("/") + name, kMaxNames);
    if (!text) continue;
    TRY(const Descriptor file, open_within(root, name, O_WRONLY | O_TRUNC));
    TRY_DO(write_all(file.get(), *text));
  }
  return {};
}

// proot puts devices on files that are there, and where there is none leaves something of its own.
Result<void> make_devices(const std::string& root) {
  TRY(const oci::Beneath beneath, oci::Beneath::open(root));
  for (const char* name : kDevices) {
    TRY(const oci::Place place, beneath.make(std::string("dev/") + name));
    const Descriptor made{
        ::openat(place.folder.get(), place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
    if (!made && errno != EEXIST) return fail_errno("making /dev/" + std::string(name) + " of the base");
  }
  constexpr std::array<std::array<const char*, 2>, 4> kLinks{{{"fd", "/proc/self/fd"},
                                                              {"stdin", "/proc/self/fd/0"},
                                                              {"stdout", "/proc/self/fd/1"},
                                                              {"stderr", "/proc/self/fd/2"}}};
  TRY(const oci::Place place, beneath.make("dev/shm"));
  for (const auto& [name, target] : kLinks)
    if (::symlinkat(target, place.folder.get(), name) != 0 && errno != EEXIST)
      return fail_errno("making /dev/" + std::string(name) + " of the base");
  if (::mkdirat(place.folder.get(), "shm", 01777) != 0 && errno != EEXIST)
    return fail_errno("making /dev/shm of the base");
  return {};
}

Task<Result<Root>> make_root(Loop& loop, const SandboxJob& job, const WorkFolder& work) {
  Root root{job.cache + "/" + work.at("root"), {}};
  if (::mkdir(root.folder.c_str(), 0755) != 0) co_return fail(errno_error("making the folder " + root.folder, errno));
  CO_TRY(std::vector<OpenLayer> layers, open_layers(job.job.layers));
  CO_TRY(std::vector<OpenLayer> over, open_layers(job.job.over));
  for (OpenLayer& layer : over) layers.push_back(std::move(layer));
  say("unpacking the base");
  auto done = co_await unpack_into(loop, root.folder, layers, oci::Owners::ours);
  if (!done) co_return fail(std::move(done).error().in("unpacking the base image"));
  CO_TRY_DO(make_devices(root.folder));
  CO_TRY_DO(show_names(root.folder));
  root.usage = usage_of(root.folder);
  co_return root;
}

// A folder of the image, also where links lead to it.
Result<void> make_working_directory(const std::string& root, const std::string& path) {
  constexpr std::size_t kDeepest = 128;
  const std::size_t begin = std::min(path.find_first_not_of('/'), path.size());
  TRY(const std::string name, oci::entry_name(path.substr(begin), kDeepest));
  if (name.empty()) return {};
  TRY(const oci::Beneath beneath, oci::Beneath::open(root));
  TRY(const oci::Place place, beneath.make(name));
  if (::mkdirat(place.folder.get(), place.name.c_str(), 0755) != 0 && errno != EEXIST)
    return fail_errno("making the image's folder " + path);
  return {};
}

std::vector<std::string> proot_arguments(const SandboxJob& job, const Root& root, const Identity& identity,
                                         const std::string& command) {
  const std::string& folder = job.job.working_directory;
  const std::string who = std::to_string(identity.user) + ":" + std::to_string(identity.group);
  std::vector<std::string> all{"proot", "-v", "-1", "-r", root.folder, "-w", folder.empty() ? "/" : folder, "-i", who};
  all.insert(all.end(), {"-b", "/proc"});
  for (const char* name : kDevices) all.insert(all.end(), {"-b", std::string("/dev/") + name});
  all.insert(all.end(), {"/bin/sh", "-c", kScript, "/bin/sh", command});
  return all;
}

// In a process of its own, which it becomes.
[[noreturn]] void become_proot(const SandboxJob& job, const std::vector<std::string>& arguments,
                               const CommandEnvironment& environment, int status) {
  std::vector<char*> pointers;
  for (const std::string& each : arguments) pointers.push_back(const_cast<char*>(each.c_str()));
  pointers.push_back(nullptr);
  const int moved = status == kStatus ? ::fcntl(status, F_SETFD, 0) : ::dup2(status, kStatus);
  if (!prepare_command(job.limits) || moved < 0) ::_exit(127);
  ::syscall(SYS_close_range, STDERR_FILENO + 1, kStatus - 1, 0);
  ::syscall(SYS_close_range, kStatus + 1, ~0U, 0);
  ::execvpe("proot", pointers.data(), environment.pointers());
  say("proot cannot be run, which commands need here: " + std::string(::strerror(errno)));
  ::_exit(127);
}

// What the shell wrote of its command.
std::optional<int> told_status(int from) {
  std::array<char, 16> text;
  const ssize_t size = ::read(from, text.data(), text.size());
  int code = 0;
  if (size <= 0 || std::from_chars(text.data(), text.data() + size, code).ec != std::errc{}) return std::nullopt;
  return code;
}

Result<void> check(const SandboxJob& job, const Root& root, const Descendants& descendants) {
  Usage usage = usage_of(root.folder);
  usage.bytes.count -= std::min(usage.bytes.count, root.usage.bytes.count);
  usage.entries -= std::min(usage.entries, root.usage.entries);
  TRY_DO(check_disk(root.folder, usage, job.limits));
  // A limit of the kernel's would count all processes that its user has on the node.
  if (descendants.count() > job.limits.processes)
    return fail(Why::too_large, "the commands must have at most " + std::to_string(job.limits.processes) +
                                    " processes at a time, and had more");
  return {};
}

// Runs one command and ends whatever it started.
Result<ExitStatus> run_command(const SandboxJob& job, const Root& root, const std::vector<std::string>& arguments,
                               const CommandEnvironment& environment, const Descendants& descendants) {
  TRY(Pipe status, make_pipe());
  const pid_t child = fork_into(0);
  if (child < 0) return fail_errno("starting a command");
  if (child == 0) become_proot(job, arguments, environment, status.write.get());
  status.write.reset();
  const auto watched = watch_until(status.read.get(), [&] { return check(job, root, descendants); });
  const auto code = watched ? told_status(status.read.get()) : std::nullopt;
  const auto ended = descendants.end(child);
  if (!watched) return fail(watched.error());
  TRY_DO(check(job, root, descendants));
  if (code) return ExitStatus{.code = *code};
  if (ended && WIFSIGNALED(*ended)) return ExitStatus{.signal = WTERMSIG(*ended)};
  // Without a word of the shell it is proot that failed, and has said why.
  return ExitStatus{.code = ended && WEXITSTATUS(*ended) != 0 ? WEXITSTATUS(*ended) : 127};
}

Result<std::optional<FailedCommand>> run_all(const SandboxJob& job, const Root& root, const Descendants& descendants) {
  if (!open_within(root.folder, "bin/sh", O_PATH)) return fail(no_shell());
  TRY(const Identity identity,
      find_identity(job.job.user, table_within(root.folder, "etc/passwd"), table_within(root.folder, "etc/group")));
  const CommandEnvironment environment{job.job, identity.home};
  if (!job.job.working_directory.empty()) TRY_DO(make_working_directory(root.folder, job.job.working_directory));
  return run_each(job.job, say, [&](const std::string& command) {
    return run_command(job, root, proot_arguments(job, root, identity, command), environment, descendants);
  });
}

// Returns whether the tar is complete; when it is not, a command has failed, and the outcome says so.
Task<Result<bool>> run(Loop& loop, const SandboxJob& job) {
  CO_TRY_DO(open_store());
  CO_TRY(const WorkFolder work, WorkFolder::create());
  CO_TRY(const Root root, co_await make_root(loop, job, work));
  std::vector<std::string> left_alone{kLeftAlone.begin(), kLeftAlone.end()};
  CO_TRY(const oci::Snapshot before, oci::Snapshot::take(root.folder, std::move(left_alone)));
  CO_TRY(const Descendants descendants, Descendants::adopt());
  CO_TRY(const auto failed, run_all(job, root, descendants));
  if (failed) {
    report({.failed = failed});
    co_return false;
  }
  TarOut tar;
  oci::Sink sink = [&tar](std::string_view bytes) { return tar.write(bytes); };
  CO_TRY_DO(co_await before.write_changes(loop, std::move(sink), layer_options(job)));
  CO_TRY_DO(tar.flush());
  co_return true;
}

Result<int> run_job(const SandboxJob& job) {
  if (!job.job.network)
    return fail(
        Why::invalid,
        "spec.build.offline cannot be had for spec.build.commands where they run in a pod, which has a network; "
        "leave it out, or build with nuctl on a machine that allows user namespaces");
  std::error_code error;
  std::filesystem::create_directories(job.cache, error);
  if (error) return fail(errno_error("making the folder " + job.cache, error.value()));
  if (::chdir(job.cache.c_str()) != 0) return fail_errno("entering " + job.cache);
  ::signal(SIGPIPE, SIG_IGN);
  ::umask(022);
  Loop loop;
  TRY(const bool complete, run_until_done(loop, run(loop, job)));
  if (complete) report({});
  return complete ? 0 : 1;
}

}  // namespace

int run_proot_sandbox() { return speak_as_sandbox(run_job); }

}  // namespace nuclio::builder
