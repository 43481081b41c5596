// SPDX-License-Identifier: Apache-2.0
#include "loop/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "loop/stream.h"

namespace nuclio {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// What the child does between fork and exec. Only async-signal-safe calls: other threads' locks may be held for ever.
// Returns errno when it could not go on.
int become(const ChildOptions& options, pid_t parent, std::vector<int>& moved, int report, char* const* argv,
           char* const* env) {
  if (options.group == ChildOptions::Group::own_session) {
    if (setsid() < 0) return errno;
  } else if (setpgid(0, 0) != 0) {
    return errno;
  }
  if (options.signal_when_parent_dies) {
    if (prctl(PR_SET_PDEATHSIG, options.signal_when_parent_dies) != 0) return errno;
    if (getppid() != parent) _exit(127);  // it died before the line above
  }
  if (options.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  rlimit memory{options.memory_limit, options.memory_limit};
  if (options.memory_limit > 0 && setrlimit(RLIMIT_AS, &memory) != 0) return errno;
  rlimit file{options.file_limit, options.file_limit};
  if (options.file_limit > 0 && setrlimit(RLIMIT_FSIZE, &file) != 0) return errno;

  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);

  // Out of the way first, so that no target overwrites a source that is still to come.
  for (std::size_t i = 0; i < moved.size(); ++i) {
    moved[i] = fcntl(options.descriptors[i].ours, F_DUPFD_CLOEXEC, 256);
    if (moved[i] < 0) return errno;
  }
  int high_report = fcntl(report, F_DUPFD_CLOEXEC, 256);
  if (high_report < 0) return errno;
  int null = open("/dev/null", O_RDWR);
  if (null < 0 || dup2(null, 0) < 0) return errno;
  if (null > 0) close(null);
  for (std::size_t i = 0; i < moved.size(); ++i)
    if (dup2(moved[i], options.descriptors[i].theirs) < 0) return errno;
  rlimit descriptors{options.descriptor_limit, options.descriptor_limit};
  if (options.descriptor_limit > 0 && setrlimit(RLIMIT_NOFILE, &descriptors) != 0) return errno;
  if (!options.directory.empty() && chdir(options.directory.c_str()) != 0) return errno;
  execvpe(argv[0], argv, env);
  int error_number = errno;
  // `report` may have been overwritten above; the moved one has not.
  (void)!write(high_report, &error_number, sizeof error_number);
  _exit(127);
}

}  // namespace

std::string ExitStatus::text() const {
  if (signal == 0) return "exited with code " + std::to_string(code);
  return "was killed by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
}

Result<Child> Child::spawn(Loop& loop, const ChildOptions& options) {
  CHECK(!options.argv.empty());
  auto argv = pointers(options.argv);
  auto env = pointers(options.env);
  std::vector<int> moved(options.descriptors.size(), -1);
  TRY(Pipe report, make_pipe());
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0) return fail_errno("starting " + options.argv[0]);
  if (pid == 0) {
    int error_number = become(options, parent, moved, report.write.get(), argv.data(), env.data());
    (void)!write(report.write.get(), &error_number, sizeof error_number);
    _exit(127);
  }
  report.write.reset();
  Child child{loop, pid, Descriptor{static_cast<int>(syscall(SYS_pidfd_open, pid, 0))}};
  int error_number = 0;
  ssize_t count;
  do {
    count = read(report.read.get(), &error_number, sizeof error_number);
  } while (count < 0 && errno == EINTR);
  if (count == sizeof error_number) {
    std::string doing = "starting " + options.argv[0];
    if (!options.directory.empty()) doing += " in " + options.directory;
    return std::unexpected(errno_error(doing, error_number));
  }
  return child;
}

Result<Child> Child::adopt(Loop& loop, pid_t pid) {
  Descriptor pidfd{pid > 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1};
  // Only a parent may wait; whoever named the process may be wrong about whose it is.
  siginfo_t info{};
  bool ours = pidfd && waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOWAIT | WNOHANG) == 0;
  if (!ours || getpgid(pid) != pid)
    return fail(Why::unavailable, "process " + std::to_string(pid) + " is no child of ours with a group of its own");
  return Child{loop, pid, std::move(pidfd)};
}

Child::Child(Loop& loop, pid_t pid, Descriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {
  CHECK(pidfd_);
  watch_ = std::make_unique<Watch>(loop, pidfd_.get());
  watch_->drained(Watch::Direction::read);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      watch_(std::move(other.watch_)),
      status_(std::exchange(other.status_, std::nullopt)) {}

Child& Child::operator=(Child&& other) noexcept {
  if (this != &other) {
    kill_and_reap();
    watch_ = std::move(other.watch_);
    pidfd_ = std::move(other.pidfd_);
    pid_ = std::exchange(other.pid_, -1);
    status_ = std::exchange(other.status_, std::nullopt);
  }
  return *this;
}

Child::~Child() { kill_and_reap(); }

// Until here a child that ended has stayed a zombie, so that its number, which is its group's too, could not become
// somebody else's.
void Child::kill_and_reap() {
  if (pid_ < 0) return;
  // The group may outlive its leader: what the child started goes with it.
  ::kill(-pid_, SIGKILL);
  siginfo_t info{};
  while (waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0 && errno == EINTR) {
  }
}

// Looks whether it has ended, and leaves it a zombie.
void Child::look(int wait_flags) {
  siginfo_t info{};
  while (waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOWAIT | wait_flags) != 0)
    if (errno != EINTR) return;
  if (info.si_pid == 0) return;
  ExitStatus status;
  if (info.si_code == CLD_EXITED) {
    status.code = info.si_status;
  } else {
    status.signal = info.si_status;
  }
  status_ = status;
}

Task<std::optional<ExitStatus>> Child::exited(Deadline deadline) {
  while (!status_) {
    look(WNOHANG);
    if (status_) break;
    watch_->drained(Watch::Direction::read);
    bool ready = co_await watch_->readable(deadline);
    if (!ready) co_return std::nullopt;
  }
  co_return status_;
}

bool Child::running() {
  if (pid_ >= 0 && !status_) look(WNOHANG);
  return pid_ >= 0 && !status_;
}

void Child::signal(int number) {
  if (running()) syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0);
}

void Child::signal_group(int number) {
  if (pid_ >= 0) ::kill(-pid_, number);
}

void Child::release() {
  watch_.reset();
  pidfd_.reset();
  pid_ = -1;
}

}  // namespace nuclio
