// SPDX-License-Identifier: Apache-2.0
#include "builder/user_namespace.h"

#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <vector>

#include "base/bytes.h"
#include "loop/descriptor.h"
#include "oci/file.h"

namespace nuclio::builder {
namespace {

constexpr std::uint32_t kFirstOfRoot = 100'000;  // where useradd(8) begins, too
constexpr Bytes kMaxTable{1u << 20};
constexpr const char* kNewUidMap = "/usr/bin/newuidmap";
constexpr const char* kNewGidMap = "/usr/bin/newgidmap";

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

struct Given {
  std::string_view user;
  IdRange range;
};

// "user:first:count" a line; others are comments or mistakes, and count for nothing.
std::vector<Given> all_given(std::string_view text) {
  std::vector<Given> all;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t one = line.find(':');
    const std::size_t two = line.find(':', one + 1);
    if (one == std::string_view::npos || two == std::string_view::npos) continue;
    const auto first = number_of(line.substr(one + 1, two - one - 1));
    const auto count = number_of(line.substr(two + 1));
    if (first && count && *first > 0 && *count <= UINT32_MAX - *first)
      all.push_back({line.substr(0, one), {*first, *count}});
  }
  return all;
}

// A line of /proc/self/uid_map: the first id here, the first one above, how many.
std::vector<IdRange> all_ours(std::string_view text) {
  std::vector<IdRange> all;
  std::array<std::uint32_t, 3> numbers{};
  std::size_t at = 0;
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(" \n");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(word.size());
    numbers.at(at) = number_of(word).value_or(0);
    if (++at < numbers.size()) continue;
    all.push_back({numbers[0], numbers[2]});
    at = 0;
  }
  return all;
}

bool has(const std::vector<IdRange>& ours, IdRange range) {
  return std::ranges::any_of(ours, [&](const IdRange& each) {
    return range.first >= each.first &&
           std::uint64_t{range.first} + range.count <= std::uint64_t{each.first} + each.count;
  });
}

std::string table(const char* path) { return oci::read_whole_file(path, kMaxTable).value_or(""); }

Result<void> write_map(pid_t child, const char* name, const std::string& text) {
  const std::string path = "/proc/" + std::to_string(child) + "/" + name;
  const Descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return fail_errno("giving the sandbox its user ids");
  return {};
}

std::string map_text(std::uint32_t within, IdRange range) {
  return std::to_string(within) + " " + std::to_string(range.first) + " " + std::to_string(range.count) + "\n";
}

Result<void> run_mapper(const char* program, pid_t child, std::uint32_t own, IdRange range) {
  const std::array<std::string, 8> words{program,
                                         std::to_string(child),
                                         "0",
                                         std::to_string(own),
                                         "1",
                                         "1",
                                         std::to_string(range.first),
                                         std::to_string(range.count)};
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};
  pid_t mapper = -1;
  const int error = ::posix_spawn(&mapper, program, nullptr, nullptr, argv.data(), environment.data());
  if (error != 0) return fail(errno_error(std::string("starting ") + program, error));
  int status = 0;
  while (::waitpid(mapper, &status, 0) < 0)
    if (errno != EINTR) return fail_errno(std::string("waiting for ") + program);
  if (status != 0) return fail(Why::forbidden, std::string(program) + " failed; look at /etc/subuid and /etc/subgid");
  return {};
}

}  // namespace

std::optional<IdRange> range_of(std::string_view subids, std::string_view user, std::uint32_t uid) {
  const std::string number = std::to_string(uid);
  for (const Given& given : all_given(subids))
    if ((given.user == user || given.user == number) && given.range.count >= kSandboxIds - 1)
      return IdRange{given.range.first, std::min(given.range.count, kSandboxIds)};
  return {};
}

std::optional<IdRange> range_for_root(std::string_view subids, std::string_view ours) {
  const std::vector<IdRange> mine = all_ours(ours);
  if (const auto given = range_of(subids, "root", 0); given && has(mine, *given)) return given;
  std::uint32_t first = kFirstOfRoot;
  for (const Given& given : all_given(subids)) first = std::max(first, given.range.first + given.range.count);
  if (has(mine, {first, kSandboxIds})) return IdRange{first, kSandboxIds};
  if (has(mine, {1, kSandboxIds - 1})) return IdRange{1, kSandboxIds - 1};
  return {};
}

std::string IdMaps::text() const {
  if (kind == Kind::single) return "single";
  return std::to_string(users.first) + "-" + std::to_string(groups.first) + "-" + std::to_string(users.count);
}

Result<IdMaps> find_id_maps() {
  const std::string subuids = table("/etc/subuid");
  const std::string subgids = table("/etc/subgid");
  if (::geteuid() == 0) {
    const auto users = range_for_root(subuids, table("/proc/self/uid_map"));
    const auto groups = range_for_root(subgids, table("/proc/self/gid_map"));
    if (!users || !groups)
      return fail(Why::forbidden,
                  "commands need a range of 65535 user and group ids to run with, and this process has none to give; "
                  "run the builder as a user other than root, or with more ids");
    return IdMaps{IdMaps::Kind::ranges, *users, *groups};
  }
  const passwd* entry = ::getpwuid(::geteuid());
  const std::string user = entry ? entry->pw_name : "";
  const auto users = range_of(subuids, user, ::geteuid());
  const auto groups = range_of(subgids, user, ::geteuid());
  // Programs with the set-user-id bit have no effect under no_new_privs.
  const bool can_map = ::access(kNewUidMap, X_OK) == 0 && ::access(kNewGidMap, X_OK) == 0 &&
                       ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
  if (users && groups && can_map) {
    const std::uint32_t count = std::min({users->count, groups->count, kSandboxIds - 1});
    return IdMaps{IdMaps::Kind::own_and_ranges, {users->first, count}, {groups->first, count}};
  }
  return IdMaps{};
}

Result<void> write_id_maps(pid_t child, const IdMaps& maps) {
  switch (maps.kind) {
    case IdMaps::Kind::ranges:
      TRY_DO(write_map(child, "uid_map", map_text(0, maps.users)));
      return write_map(child, "gid_map", map_text(0, maps.groups));
    case IdMaps::Kind::own_and_ranges:
      TRY_DO(run_mapper(kNewUidMap, child, ::geteuid(), maps.users));
      return run_mapper(kNewGidMap, child, ::getegid(), maps.groups);
    case IdMaps::Kind::single:
      // Without it a user could give up a group that files are forbidden to.
      TRY_DO(write_map(child, "setgroups", "deny"));
      TRY_DO(write_map(child, "uid_map", map_text(0, {::geteuid(), 1})));
      return write_map(child, "gid_map", map_text(0, {::getegid(), 1}));
  }
  return {};
}

}  // namespace nuclio::builder
