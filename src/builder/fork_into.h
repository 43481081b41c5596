// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>

namespace nuclio::builder {

// fork(2), with namespaces (CLONE_NEW...) that begin with the child. Only in a process with one thread, as the program
// `builder` is in a sandbox: the child goes on with whatever locks the others would have held. It is the kernel's own
// call rather than the library's, behind which a sanitizer would start a thread, and a process with two cannot go into
// a user namespace.
inline pid_t fork_into(int namespaces) {
  return static_cast<pid_t>(::syscall(SYS_clone, static_cast<unsigned long>(namespaces | SIGCHLD), 0, 0, 0, 0));
}

}  // namespace nuclio::builder
