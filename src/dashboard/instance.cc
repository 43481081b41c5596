// SPDX-License-Identifier: Apache-2.0
#include "dashboard/instance.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

namespace nuclio::dashboard {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

constexpr int kLooks = 100;
constexpr auto kBetweenLooks = std::chrono::milliseconds{5};

bool is_running(const std::string& pid) {
  pid_t number = 0;
  auto [end, error] = std::from_chars(pid.data(), pid.data() + pid.size(), number);
  return error == std::errc{} && number > 0 && (::kill(number, 0) == 0 || errno != ESRCH);
}

}  // namespace

Result<Instance> Instance::claim(const platform::process::Home& home) {
  TRY_DO(platform::process::make_private_folder(home.folder()));
  std::string path = home.pid_file();
  Descriptor lock{::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!lock) return fail_errno("opening " + path);
  // The lock and not the number says that somebody is there: a number outlives a crash. And the lock outlives it by a
  // moment, when what it was about to start has not become another program yet.
  bool locked = ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0;
  for (int i = 0; !locked && i < kLooks && !is_running(first_line(path)); ++i) {
    std::this_thread::sleep_for(kBetweenLooks);
    locked = ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0;
  }
  if (!locked) {
    std::string pid = first_line(path);
    std::string address = first_line(home.address_file());
    return fail(Why::conflict, "a dashboard is running already for " + home.folder() +
                                   (address.empty() ? "" : " at http://" + address) + "; end it first (kill " + pid +
                                   "), or set NUCLIO_HOME to another folder");
  }
  std::string pid = std::to_string(getpid()) + "\n";
  if (::ftruncate(lock.get(), 0) != 0 || ::write(lock.get(), pid.data(), pid.size()) < 0)
    return fail_errno("writing " + path);
  return Instance{home, std::move(lock)};
}

Result<void> Instance::publish(const std::string& address) {
  return platform::process::replace_file(home_.address_file(), address + "\n");
}

Instance::~Instance() {
  if (!lock_) return;
  ::unlink(home_.address_file().c_str());
  // Emptied and not removed: whoever waits for this very file's lock must not end up with another than the next comer.
  (void)!::ftruncate(lock_.get(), 0);
}

}  // namespace nuclio::dashboard
