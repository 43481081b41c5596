// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox_watch.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "loop/descriptor.h"

namespace nuclio::builder {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kLeastFree = 256u << 20;  // of the disk; with less, other programs are in trouble

}  // namespace

Result<void> watch_until(int descriptor, const std::function<Result<void>()>& check) {
  sigset_t terminate;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  const Descriptor signals{::signalfd(-1, &terminate, SFD_CLOEXEC)};
  if (!signals || descriptor < 0) return fail_errno("watching the sandbox");
  // To look at a hundred thousand files takes a moment, and should not take all of the time.
  for (auto pause = 500ms;;) {
    std::array<pollfd, 2> waited{pollfd{descriptor, POLLIN, 0}, pollfd{signals.get(), POLLIN, 0}};
    const int ready = ::poll(waited.data(), waited.size(), static_cast<int>(pause.count()));
    if (ready < 0 && errno != EINTR) return fail_errno("watching the sandbox");
    if (waited[0].revents) return {};
    if (waited[1].revents) return fail(Why::timeout, "the build was ended");
    const auto before = std::chrono::steady_clock::now();
    TRY_DO(check());
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before);
    pause = std::max<std::chrono::milliseconds>(500ms, took * 10);
  }
}

Result<void> check_disk(const std::string& folder, const Usage& written, const CommandsLimits& limits) {
  if (written.bytes > limits.disk)
    return fail(Why::too_large,
                "the commands must write at most " + std::to_string(limits.disk.count) + " bytes, and wrote more");
  if (written.entries > limits.files || written.too_deep)
    return fail(Why::too_large, "the commands must make at most " + std::to_string(limits.files) +
                                    " files, in folders at most 128 deep, and made more");
  struct statvfs disk{};
  if (::statvfs(folder.c_str(), &disk) == 0 && std::uint64_t{disk.f_bavail} * disk.f_frsize < kLeastFree)
    return fail(Why::unavailable,
                "the disk of the builder's cache is nearly full; free some space there and try again");
  return {};
}

}  // namespace nuclio::builder
