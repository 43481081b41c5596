// SPDX-License-Identifier: Apache-2.0
#include "oci/snapshot.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <ranges>
#include <thread>
#include <unordered_map>
#include <utility>

#include "oci/changed_entries.h"

namespace nuclio::oci {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kEntriesBetweenYields = 200;
// The kernel's clock for files ticks a hundred times a second or more often. What is changed within the tick in which
// it was made looks as if it were not.
constexpr auto kTick = 10ms;

struct Stamp {
  mode_t mode;
  ino_t inode;
  off_t size;
  timespec modified;
  timespec changed;
};

bool equal(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

// Of folders only the mode: what is in them is looked at by itself.
bool is_same(const Stamp& before, const struct stat& now) {
  if (before.mode != now.st_mode) return false;
  return S_ISDIR(now.st_mode) || (before.inode == now.st_ino && before.size == now.st_size &&
                                  equal(before.modified, now.st_mtim) && equal(before.changed, now.st_ctim));
}

std::string within(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

// For a user who is not root, and whose programs believe that they are.
void make_readable(const std::string& path, const struct stat& status, mode_t needed) {
  if ((status.st_mode & needed) != needed) (void)::chmod(path.c_str(), (status.st_mode & 07777) | needed);
}

}  // namespace

struct Snapshot::Known {
  struct Entry {
    std::string name;
    Stamp stamp;
  };

  bool leaves_alone(const std::string& name) const { return std::ranges::find(left_alone, name) != left_alone.end(); }
  const Stamp* find(const std::string& folder, std::string_view name) const {
    const auto in = folders.find(folder);
    if (in == folders.end()) return nullptr;
    const auto entry = std::ranges::lower_bound(in->second, name, {}, &Entry::name);
    return entry != in->second.end() && entry->name == name ? &entry->stamp : nullptr;
  }

  std::string root;
  std::vector<std::string> left_alone;
  std::unordered_map<std::string, std::vector<Entry>> folders;  // by name, "" for the root; each sorted
};

Snapshot::Snapshot(std::unique_ptr<Known> known) : known_(std::move(known)) {}
Snapshot::Snapshot(Snapshot&&) noexcept = default;
Snapshot::~Snapshot() = default;

Result<Snapshot> Snapshot::take(std::string root, std::vector<std::string> left_alone) {
  auto known = std::make_unique<Known>();
  known->root = std::move(root);
  known->left_alone = std::move(left_alone);
  std::vector<std::string> open{""};
  while (!open.empty()) {
    const std::string folder = std::move(open.back());
    open.pop_back();
    TRY(std::vector<std::string> names, sorted_names(within(known->root, folder)));
    std::vector<Known::Entry>& entries = known->folders[folder];
    for (std::string& name : names) {
      const std::string inner = within(folder, name);
      if (known->leaves_alone(inner)) continue;
      const std::string path = known->root + "/" + inner;
      struct stat status{};
      if (::lstat(path.c_str(), &status) != 0) return fail_errno("reading " + path);
      if (S_ISDIR(status.st_mode)) open.push_back(inner);
      entries.push_back(
          {std::move(name), {status.st_mode, status.st_ino, status.st_size, status.st_mtim, status.st_ctim}});
    }
  }
  std::this_thread::sleep_for(kTick);
  return Snapshot{std::move(known)};
}

class Snapshot::Writer {
 public:
  Writer(Loop& loop, const Known& known, Sink tar, ChangesOptions options)
      : loop_(loop), known_(known), entries_(loop, std::move(tar), std::move(options), ChangedEntries::Owners::root) {}

  Task<Result<void>> run() {
    CO_TRY_DO(list("", 0));
    while (!open_.empty()) {
      const Open next = std::move(open_.back());
      open_.pop_back();
      CO_TRY_DO(co_await look(next));
      if (++seen_ % kEntriesBetweenYields == 0) co_await loop_.yield();
    }
    co_return entries_.finish();
  }

 private:
  struct Open {
    std::string folder;
    std::string name;
    std::size_t depth;
  };

  Task<Result<void>> look(const Open& it) {
    const std::string name = within(it.folder, it.name);
    const std::string path = known_.root + "/" + name;
    const Stamp* before = known_.find(it.folder, it.name);
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
      if (errno != ENOENT || !before) co_return fail(errno_error("reading " + path, errno));
      co_return entries_.put_whiteout(name);
    }
    if (!before || !is_same(*before, status)) {
      if (S_ISREG(status.st_mode)) make_readable(path, status, S_IRUSR);
      CO_TRY_DO(co_await entries_.put(name, path, status, it.depth));
    }
    if (!S_ISDIR(status.st_mode)) co_return Result<void>{};
    make_readable(path, status, S_IRWXU);
    co_return list(name, it.depth);
  }

  // What is in a folder now, and what was.
  Result<void> list(const std::string& folder, std::size_t depth) {
    TRY(std::vector<std::string> names, sorted_names(within(known_.root, folder)));
    if (const auto before = known_.folders.find(folder); before != known_.folders.end()) {
      for (const Known::Entry& entry : before->second) names.push_back(entry.name);
      std::ranges::sort(names);
      const auto twice = std::ranges::unique(names);
      names.erase(twice.begin(), twice.end());
    }
    // The last one is taken first.
    for (std::string& name : names | std::views::reverse)
      if (!known_.leaves_alone(within(folder, name))) open_.push_back({folder, std::move(name), depth + 1});
    return {};
  }

  Loop& loop_;
  const Known& known_;
  ChangedEntries entries_;
  std::vector<Open> open_;
  std::size_t seen_ = 0;
};

Task<Result<void>> Snapshot::write_changes(Loop& loop, Sink tar, ChangesOptions options) const {
  Writer writer{loop, *known_, std::move(tar), std::move(options)};
  co_return co_await writer.run();
}

}  // namespace nuclio::oci
