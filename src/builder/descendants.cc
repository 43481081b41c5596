// SPDX-License-Identifier: Apache-2.0
#include "builder/descendants.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "oci/file.h"

namespace nuclio::builder {
namespace {

using namespace std::chrono_literals;

constexpr Bytes kMaxStat{4u << 10};

std::optional<pid_t> number_of(std::string_view text) {
  pid_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Of /proc/<pid>/stat: "7 (a name) S 1 …", where the name may have anything in it.
std::optional<pid_t> parent_in(std::string_view stat) {
  const std::size_t name = stat.rfind(')');
  if (name == std::string_view::npos || stat.size() < name + 5) return std::nullopt;
  stat.remove_prefix(name + 4);
  return number_of(stat.substr(0, stat.find(' ')));
}

std::vector<pid_t> all_beneath(pid_t top) {
  std::unordered_map<pid_t, std::vector<pid_t>> children;
  const std::unique_ptr<DIR, int (*)(DIR*)> list{::opendir("/proc"), ::closedir};
  while (const dirent* entry = list ? ::readdir(list.get()) : nullptr) {
    const auto pid = number_of(entry->d_name);
    if (!pid) continue;
    const auto stat = oci::read_whole_file("/proc/" + std::to_string(*pid) + "/stat", kMaxStat);
    const auto parent = stat ? parent_in(*stat) : std::nullopt;
    if (parent) children[*parent].push_back(*pid);
  }
  std::vector<pid_t> found;
  std::vector<pid_t> open{top};
  while (!open.empty()) {
    const auto its = children.extract(open.back());
    open.pop_back();
    if (!its) continue;
    found.insert(found.end(), its.mapped().begin(), its.mapped().end());
    open.insert(open.end(), its.mapped().begin(), its.mapped().end());
  }
  return found;
}

}  // namespace

Result<Descendants> Descendants::adopt() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return fail_errno("becoming the parent of orphans");
  return Descendants{};
}

std::size_t Descendants::count() const { return all_beneath(::getpid()).size(); }

std::optional<int> Descendants::end(pid_t child) const {
  std::optional<int> its;
  for (;;) {
    for (const pid_t pid : all_beneath(::getpid())) ::kill(pid, SIGKILL);
    for (;;) {
      int status = 0;
      const pid_t ended = ::waitpid(-1, &status, WNOHANG);
      if (ended == child) its = status;
      if (ended == 0) break;
      if (ended < 0 && errno == ECHILD) return its;
    }
    std::this_thread::sleep_for(1ms);
  }
}

}  // namespace nuclio::builder
