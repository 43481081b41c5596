// SPDX-License-Identifier: Apache-2.0
#include "platform/process/leftover.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <optional>

#include "base/log.h"

namespace nuclio::platform::process {
namespace {

using namespace std::chrono_literals;

// What is read of a process's arguments and environment: more than the kernel lets most programs have.
constexpr std::size_t kMostText = 4 << 20;

std::string read_whole(const std::string& path) {
  std::string text;
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  char piece[16384];
  while (file && text.size() < kMostText) {
    ssize_t count = ::read(file.get(), piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(piece, static_cast<std::size_t>(count));
  }
  return text;
}

// Strings with a NUL after each.
std::vector<std::string_view> strings_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\0'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// Whose a path below functions/ is.
std::optional<FunctionId> owner_of(const Home& home, std::string_view path) {
  std::string root = home.functions() + "/";
  if (!path.starts_with(root)) return std::nullopt;
  path.remove_prefix(root.size());
  std::size_t first = path.find('/');
  std::size_t second = first == std::string_view::npos ? first : path.find('/', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return FunctionId{Namespace{std::string(path.substr(0, first))},
                    FunctionName{std::string(path.substr(first + 1, second - first - 1))}};
}

std::optional<FunctionId> processor_of(const Home& home, const std::string& processor, std::string_view arguments) {
  auto all = strings_of(arguments);
  // A program that is a script comes after its interpreter.
  auto program = std::find(all.begin(), all.begin() + std::min<std::ptrdiff_t>(2, std::ssize(all)), processor);
  auto option = std::find(program, all.end(), "--config");
  if (program == all.end() || option == all.end() || option + 1 == all.end()) return std::nullopt;
  return owner_of(home, option[1]);
}

std::optional<FunctionId> built_by(const Home& home, std::string_view environment) {
  std::string prefix = std::string(kBuildVariable) + "=";
  for (std::string_view variable : strings_of(environment))
    if (variable.starts_with(prefix)) return owner_of(home, variable.substr(prefix.size()));
  return std::nullopt;
}

}  // namespace

Leftover::Leftover(Loop& loop, Kind kind, FunctionId id, pid_t pid, Descriptor pidfd)
    : kind_(kind),
      id_(std::move(id)),
      pid_(pid),
      pidfd_(std::move(pidfd)),
      watch_(std::make_unique<Watch>(loop, pidfd_.get())) {
  watch_->drained(Watch::Direction::read);
}

Task<void> Leftover::ended(Deadline deadline) {
  bool in_time = co_await watch_->readable(deadline);
  if (in_time) co_return;
  log::warn(kind_ == Kind::builder ? "A build that an earlier dashboard began is ended"
                                   : "A processor of an earlier dashboard did not end in time and is killed",
            {{"function", id_.name.value()}, {"pid", pid_}});
  // Its number is its own until it has ended, and its group's, when it leads one.
  if (::getpgid(pid_) == pid_) ::kill(-pid_, SIGKILL);
  syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  (void)co_await watch_->readable(Deadline::in(10s));
}

std::vector<std::unique_ptr<Leftover>> find_leftovers(Loop& loop, const Home& home, const std::string& processor) {
  std::vector<std::unique_ptr<Leftover>> out;
  struct Close {
    void operator()(DIR* folder) const { ::closedir(folder); }
  };
  std::unique_ptr<DIR, Close> processes{::opendir("/proc")};
  while (const dirent* entry = processes ? ::readdir(processes.get()) : nullptr) {
    std::string_view name = entry->d_name;
    pid_t pid = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc{} || end != name.data() + name.size() || pid == ::getpid()) continue;
    std::string folder = "/proc/" + std::string(name);
    if (::access((folder + "/environ").c_str(), R_OK) != 0) continue;  // another user's
    // Before anything is read: from here on it is the same process, or none.
    Descriptor pidfd{static_cast<int>(syscall(SYS_pidfd_open, pid, 0))};
    if (!pidfd) continue;
    auto kind = Leftover::Kind::processor;
    auto id = processor_of(home, processor, read_whole(folder + "/cmdline"));
    if (!id) {
      kind = Leftover::Kind::builder;
      id = built_by(home, read_whole(folder + "/environ"));
    }
    if (id) out.push_back(std::make_unique<Leftover>(loop, kind, std::move(*id), pid, std::move(pidfd)));
  }
  return out;
}

}  // namespace nuclio::platform::process
