// SPDX-License-Identifier: Apache-2.0
// Three processes, each the parent of the next and killed with it:
//   the supervisor  outside, as whoever builds: opens what is out of reach within, and gives the next its user ids
//   the keeper      root of a user namespace, sees the machine's files: unpacks the base, watches, writes the layer
//   the init        first of namespaces of its own, sees the overlay only: runs the commands, which are its children
// Commands can do to the init what they like; all that it has of the others is the log and a place for its outcome.
#include "builder/sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>

#include "builder/fork_into.h"
#include "builder/sandbox_init.h"
#include "builder/sandbox_job.h"
#include "builder/sandbox_store.h"
#include "builder/user_namespace.h"
#include "loop/run.h"
#include "loop/stream.h"
#include "oci/changes.h"

namespace nuclio::builder {
namespace {

using namespace std::chrono_literals;

constexpr Bytes kMaxJob{8u << 20};
constexpr std::uint64_t kLeastFree = 256u << 20;  // of the disk; with less, other programs are in trouble
constexpr std::string_view kOtherWays = "; otherwise use --builder-kind buildah or docker";

Result<void> write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(to, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("writing");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

// The line before may be a command's, without its end; empty ones are not shown.
void say(std::string_view line) { (void)write_all(STDOUT_FILENO, "\n" + std::string(line) + "\n"); }

void report(const SandboxOutcome& outcome) { (void)write_all(kSandboxOutcome, sandbox_outcome_text(outcome)); }

Result<std::string> read_job() {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading the sandbox's job");
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxJob.count) return fail(Why::too_large, "commands and environment must have less than 8 MiB");
  }
}

// False when the parent is gone already. Taking another identity undoes it, so it comes after.
bool die_with_parent(int alive) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return false;
  // The parent holds the other end, and writes nothing.
  pollfd end{.fd = alive, .events = 0, .revents = 0};
  return ::poll(&end, 1, 0) == 0;
}

// ---- the keeper

// The tar in pieces of a size that suits a pipe.
class TarOut {
 public:
  Result<void> write(std::string_view bytes) {
    buffer_ += bytes;
    return buffer_.size() < kPiece ? Result<void>{} : flush();
  }
  Result<void> flush() {
    auto done = write_all(kSandboxTar, buffer_);
    buffer_.clear();
    return done;
  }

 private:
  static constexpr std::size_t kPiece = 64 << 10;
  std::string buffer_;
};

// Kills it with all of its namespace, unless it has ended.
class Init {
 public:
  explicit Init(pid_t pid) : pid_(pid), pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
  Init(const Init&) = delete;
  ~Init() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      (void)wait();
    }
  }
  int pidfd() const { return pidfd_.get(); }
  // Returns when the last process of the namespace is gone.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
  Descriptor pidfd_;
};

Result<void> check_disk(const std::string& upper, const CommandsLimits& limits) {
  const Usage usage = usage_of(upper);
  if (usage.bytes > limits.disk)
    return fail(Why::too_large,
                "the commands must write at most " + std::to_string(limits.disk.count) + " bytes, and wrote more");
  if (usage.entries > limits.files || usage.too_deep)
    return fail(Why::too_large, "the commands must make at most " + std::to_string(limits.files) +
                                    " files, in folders at most 128 deep, and made more");
  struct statvfs disk{};
  if (::statvfs(upper.c_str(), &disk) == 0 && std::uint64_t{disk.f_bavail} * disk.f_frsize < kLeastFree)
    return fail(Why::unavailable,
                "the disk of the builder's cache is nearly full; free some space there and try again");
  return {};
}

// Waits for the init, and ends it when it must not go on.
Result<int> watch(Init& init, const std::string& upper, const CommandsLimits& limits) {
  sigset_t terminate;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  const Descriptor signals{::signalfd(-1, &terminate, SFD_CLOEXEC)};
  if (!signals || init.pidfd() < 0) return fail_errno("watching the sandbox");
  // To look at a hundred thousand files takes a moment, and should not take all of the time.
  for (auto pause = 500ms;;) {
    std::array<pollfd, 2> waited{pollfd{init.pidfd(), POLLIN, 0}, pollfd{signals.get(), POLLIN, 0}};
    const int ready = ::poll(waited.data(), waited.size(), static_cast<int>(pause.count()));
    if (ready < 0 && errno != EINTR) return fail_errno("watching the sandbox");
    if (waited[0].revents) return init.wait();
    if (waited[1].revents) return fail(Why::timeout, "the build was ended");
    const auto before = std::chrono::steady_clock::now();
    TRY_DO(check_disk(upper, limits));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before);
    pause = std::max<std::chrono::milliseconds>(500ms, took * 10);
  }
}

// Returns false when the outcome was written already, by the init.
Result<bool> run_commands_within(const SandboxJob& job, const RootFolders& folders) {
  TRY(Pipe alive, make_pipe());
  const int network = job.job.network ? 0 : CLONE_NEWNET;
  const pid_t pid = fork_into(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | network);
  if (pid < 0) return fail_errno("making the sandbox's namespaces");
  if (pid == 0) {
    alive.write.reset();
    if (!die_with_parent(alive.read.get())) ::_exit(2);
    // Nothing of the keeper's stays open: neither the store nor the layer's pipe.
    ::close(kSandboxTar);
    ::syscall(SYS_close_range, kSandboxOutcome + 1, ~0U, 0);
    (void)alive.read.release();
    const SandboxOutcome outcome = run_init(job.job, job.limits, folders, say);
    const bool good = !outcome.error && !outcome.failed;
    if (!good) report(outcome);
    ::_exit(good ? 0 : 1);
  }
  Init init{pid};
  TRY(const int status, watch(init, folders.upper, job.limits));
  if (WIFEXITED(status) && WEXITSTATUS(status) <= 1) return WEXITSTATUS(status) == 0;
  return fail(Why::internal, "the sandbox ended without a word; this machine may have too little memory");
}

struct JobLayers {
  std::vector<OpenLayer> base;
  std::vector<OpenLayer> over;
};

Result<void> make_folders(const RootFolders& folders) {
  for (const std::string& folder : {folders.upper, folders.work, folders.merged})
    if (::mkdir(folder.c_str(), 0755) != 0) return fail_errno("making the folder " + folder);
  return {};
}

// The layers as a folder to lie over the root. They are unpacked into an overlay, so that they find what they delete,
// link to or put files into; its upper folder then has whiteouts as the next overlay wants them.
Task<Result<std::string>> unpack_over(Loop& loop, const std::string& root, const std::vector<OpenLayer>& layers,
                                      const WorkFolder& work, oci::Owners owners) {
  const RootFolders folders{{root}, work.at("over"), work.at("over-work"), work.at("over-merged")};
  CO_TRY_DO(make_folders(folders));
  CO_TRY(const Overlay overlay, Overlay::mount(folders));
  auto done = co_await unpack_into(loop, folders.merged, layers, owners);
  if (!done) co_return fail(std::move(done).error().in("unpacking the image's own layers"));
  co_return folders.upper;
}

Task<Result<bool>> keep(Loop& loop, const SandboxJob& job, const JobLayers& layers, oci::Owners owners) {
  const LogLine log = say;
  CO_TRY_DO(open_store());
  CO_TRY(const KeptRoot root, co_await keep_root(loop, job.job.base, layers.base, owners, log));
  remove_old_roots(job.limits.roots, job.limits.roots_size);
  CO_TRY(const WorkFolder work, WorkFolder::create());
  RootFolders folders{{root.folder}, work.at("upper"), work.at("work"), work.at("merged")};
  CO_TRY_DO(make_folders(folders));
  if (!layers.over.empty()) {
    CO_TRY(std::string over, co_await unpack_over(loop, root.folder, layers.over, work, owners));
    folders.lower.insert(folders.lower.begin(), std::move(over));
  }

  CO_TRY(const bool all_ran, run_commands_within(job, folders));
  if (!all_ran) co_return false;
  CO_TRY_DO(check_disk(folders.upper, job.limits));
  TarOut tar;
  oci::ChangesOptions options;
  options.layer = {.modified = job.modified, .limits = {.entries = job.limits.files, .total = job.limits.disk}};
  options.left_out = [](std::string_view name) {
    say("left out of the layer: /" + std::string(name) + ", which is a socket, a pipe or a device");
  };
  CO_TRY_DO(co_await oci::write_changes(
      loop, folders.upper, [&tar](std::string_view bytes) { return tar.write(bytes); }, std::move(options)));
  CO_TRY_DO(tar.flush());
  co_return true;
}

// Becomes root of the user namespace that the supervisor has prepared.
Result<void> become_root(IdMaps::Kind kind) {
  // Without ranges groups are what they were, and cannot be changed.
  if (kind != IdMaps::Kind::single && ::setgroups(0, nullptr) != 0) return fail_errno("giving up groups");
  if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) return fail_errno("becoming root of the sandbox");
  // Keys of whoever builds are not for the commands.
  (void)::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
  // Whoever is root in here must not look into this process, nor into the init, which is its child: the memory of both
  // is that of a program that was started outside.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno("closing the sandbox");
  return {};
}

int run_keeper(const SandboxJob& job, const JobLayers& layers, IdMaps::Kind kind, Descriptor ready) {
  char go = 0;
  if (::read(ready.get(), &go, 1) != 1) return 2;  // the supervisor has said why
  if (auto root = become_root(kind); !root) {
    report({.error = root.error()});
    return 1;
  }
  if (!die_with_parent(ready.get())) return 2;
  ::signal(SIGPIPE, SIG_IGN);
  ::umask(022);
  Loop loop;
  auto done = run_until_done(
      loop, keep(loop, job, layers, kind == IdMaps::Kind::single ? oci::Owners::ours : oci::Owners::theirs));
  if (!done) {
    report({.error = std::move(done).error()});
    return 1;
  }
  if (*done) report({});
  return *done ? 0 : 1;
}

// ---- the supervisor

Result<std::vector<OpenLayer>> open_layers(const std::vector<std::string>& paths) {
  std::vector<OpenLayer> layers;
  for (const std::string& path : paths) {
    layers.push_back({path, Descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}});
    if (!layers.back().file) return fail_errno("reading " + path);
  }
  return layers;
}

// Makes the store the current folder. It has set-user-id programs in it that belong to the sandbox's ids, so that
// nobody else may enter it.
Result<void> enter_store(const std::string& cache, const IdMaps& maps) {
  const std::string above = cache + "/sandbox";
  const std::string store = above + "/" + maps.text();
  std::error_code error;
  std::filesystem::create_directories(cache, error);
  if (error) return fail(errno_error("making the folder " + cache, error.value()));
  for (const std::string& folder : {above, store})
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("making the folder " + folder);
  if (maps.kind == IdMaps::Kind::ranges && ::chown(store.c_str(), maps.users.first, maps.groups.first) != 0)
    return fail_errno("giving the folder " + store + " to the sandbox");
  if (::chdir(store.c_str()) != 0) return fail_errno("entering " + store);
  return {};
}

Result<int> supervise(const SandboxJob& job) {
  TRY(std::vector<OpenLayer> base, open_layers(job.job.layers));
  TRY(std::vector<OpenLayer> over, open_layers(job.job.over));
  const JobLayers layers{std::move(base), std::move(over)};
  TRY(const IdMaps maps, find_id_maps());
  if (maps.kind == IdMaps::Kind::single)
    say("the builder has one user id only: commands that need further users or owners will fail, as apt-get does. Give "
        "its user a range in /etc/subuid and /etc/subgid, and install newuidmap");
  TRY_DO(enter_store(job.cache, maps));
  // What commands open by name, such as /dev/stdout, must be theirs.
  if (maps.kind == IdMaps::Kind::ranges)
    for (const int output : {STDOUT_FILENO, STDERR_FILENO}) (void)::fchown(output, maps.users.first, maps.groups.first);

  TRY(Pipe ready, make_pipe());
  const pid_t keeper = fork_into(CLONE_NEWUSER);
  // Here it does not mean the disk.
  if (keeper < 0 && errno == ENOSPC) errno = EPERM;
  if (keeper < 0)
    return fail(
        errno_error("making a user namespace, which commands need (see kernel.unprivileged_userns_clone and "
                    "user.max_user_namespaces; in a container, its seccomp profile)" +
                        std::string(kOtherWays),
                    errno));
  if (keeper == 0) {
    ready.write.reset();
    ::_exit(run_keeper(job, layers, maps.kind, std::move(ready.read)));
  }
  ready.read.reset();
  ::close(kSandboxTar);
  auto mapped = write_id_maps(keeper, maps);
  if (mapped) mapped = write_all(ready.write.get(), "!");
  if (!mapped) ready.write.reset();  // it ends
  int status = 0;
  while (::waitpid(keeper, &status, 0) < 0)
    if (errno != EINTR) return fail_errno("waiting for the sandbox");
  if (!mapped) return fail(std::move(mapped).error());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

}  // namespace

int run_sandbox() {
  // The end at the deadline: the keeper looks for it and tidies up, and then the others end by themselves.
  sigset_t terminate;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &terminate, nullptr);
  for (const int descriptor : {kSandboxTar, kSandboxOutcome}) ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  // When memory runs out it is the build that goes first.
  if (const Descriptor score{::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)})
    (void)!::write(score.get(), "500", 3);

  const auto run = [] -> Result<int> {
    TRY(const std::string text, read_job());
    TRY(const SandboxJob job, parse_sandbox_job(text));
    return supervise(job);
  };
  auto code = run();
  if (code) return *code;
  report({.error = std::move(code).error()});
  return 1;
}

}  // namespace nuclio::builder
