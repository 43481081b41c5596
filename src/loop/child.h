// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/descriptor.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio {

// How a process ended.
struct ExitStatus {
  int code = 0;    // when signal is 0
  int signal = 0;  // the signal that killed it
  bool ok() const { return code == 0 && signal == 0; }
  std::string text() const;  // "exited with code 3", "was killed by signal 9 (Killed)"
};

struct ChildOptions {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH when it has no slash
  std::vector<std::string> env;   // "NAME=value", the whole environment of the child
  std::string directory;          // "" stays here

  // Descriptors of the child: `ours` becomes `theirs`. 0 is /dev/null, 1 and 2 are ours unless named here; nothing else
  // is inherited. Borrowed until spawn() returns.
  struct Passed {
    int ours;
    int theirs;
  };
  std::vector<Passed> descriptors;

  enum class Group { own_group, own_session } group = Group::own_group;
  int signal_when_parent_dies = SIGKILL;  // 0: outlives us
  bool no_new_privileges = true;
  std::uint64_t memory_limit = 0;      // bytes of address space; 0 is no limit of its own
  std::uint64_t descriptor_limit = 0;  // open descriptors; 0 likewise
  std::uint64_t file_limit = 0;        // bytes of each file that it writes; 0 likewise
};

// A child process and, by its process group, what it started. Owned: when a Child is destroyed its group is killed and
// the child reaped, not before, so its number stays its own. Lives on its loop's thread (the thread that spawned it
// must stay alive: see PR_SET_PDEATHSIG).
class Child {
 public:
  // Returns once the program runs or could not be started (Why::not_found: no such program).
  static Result<Child> spawn(Loop& loop, const ChildOptions& options);
  // A child of ours that another process forked, which leads a process group of its own. Why::unavailable when there is
  // no such process.
  static Result<Child> adopt(Loop& loop, pid_t pid);
  Child(Child&&) noexcept;
  Child& operator=(Child&&) noexcept;
  ~Child();

  pid_t pid() const { return pid_; }
  // Waits for the end; nothing when the deadline came first. One coroutine waits at a time; asking again is fine.
  Task<std::optional<ExitStatus>> exited(Deadline deadline = Deadline::never());
  bool running();
  void signal(int number);        // to the child alone; no-op once it is gone
  void signal_group(int number);  // to all of its process group
  // Gives it up: it goes on without us.
  void release();

 private:
  Child(Loop& loop, pid_t pid, Descriptor pidfd);
  void look(int wait_flags);
  void kill_and_reap();

  pid_t pid_ = -1;
  Descriptor pidfd_;
  std::unique_ptr<Watch> watch_;
  std::optional<ExitStatus> status_;
};

}  // namespace nuclio
