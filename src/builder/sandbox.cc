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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

#include "builder/fork_into.h"
#include "builder/sandbox_channel.h"
#include "builder/sandbox_init.h"
#include "builder/sandbox_job.h"
#include "builder/sandbox_store.h"
#include "builder/sandbox_watch.h"
#include "builder/user_namespace.h"
#include "loop/run.h"
#include "loop/stream.h"
#include "oci/changes.h"

namespace nuclio::builder {
namespace {

constexpr std::string_view kOtherWays = "; otherwise use --builder-kind buildah or docker";

// False when the parent is gone already. Taking another identity undoes it, so it comes after.
bool die_with_parent(int alive) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return false;
  // The parent holds the other end, and writes nothing.
  pollfd end{.fd = alive, .events = 0, .revents = 0};
  return ::poll(&end, 1, 0) == 0;
}

// ---- the keeper

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
  TRY_DO(watch_until(init.pidfd(), [&] { return check_disk(folders.upper, usage_of(folders.upper), job.limits); }));
  const int status = init.wait();
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
  CO_TRY_DO(check_disk(folders.upper, usage_of(folders.upper), job.limits));
  TarOut tar;
  CO_TRY_DO(co_await oci::write_changes(
      loop, folders.upper, [&tar](std::string_view bytes) { return tar.write(bytes); }, layer_options(job)));
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

int run_sandbox() { return speak_as_sandbox(supervise); }

}  // namespace nuclio::builder
