// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox_root.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "loop/descriptor.h"

namespace nuclio::builder {
namespace {

// What a process sees that has left them: 0, or the error of connecting.
int connect_from_without(const sockaddr_un& address, socklen_t size) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    leave_abstract_sockets();
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ::_exit(::connect(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0 ? 0 : errno);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(SandboxRoot, ReachesNoSocketsThatLiveInNoFileSystem) {
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 6) GTEST_SKIP() << "needs Linux 6.12";
  const std::string name = "nuclio-test-" + std::to_string(::getpid());
  const Descriptor listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::ranges::copy(name, address.sun_path + 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(connect_from_without(address, size), EPERM);
}

}  // namespace
}  // namespace nuclio::builder
