// SPDX-License-Identifier: Apache-2.0
#include "oci/changes.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <ranges>
#include <utility>
#include <vector>

#include "oci/changed_entries.h"

namespace nuclio::oci {
namespace {

constexpr std::size_t kEntriesBetweenYields = 200;

// An overlay that is mounted without privileges keeps its marks in "user.", others in "trusted.".
bool is_opaque(const std::string& folder) {
  for (const char* name : {"user.overlay.opaque", "trusted.overlay.opaque"}) {
    char value = 0;
    if (::lgetxattr(folder.c_str(), name, &value, 1) == 1 && value == 'y') return true;
  }
  return false;
}

bool is_whiteout(const struct stat& status) { return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0); }

class ChangesWriter {
 public:
  ChangesWriter(Loop& loop, std::string upper, Sink tar, ChangesOptions options)
      : loop_(loop),
        upper_(std::move(upper)),
        entries_(loop, std::move(tar), std::move(options), ChangedEntries::Owners::as_found) {}

  Task<Result<void>> run() {
    CO_TRY_DO(list("", 0));
    while (!open_.empty()) {
      auto [name, depth] = std::move(open_.back());
      open_.pop_back();
      CO_TRY_DO(co_await add(std::move(name), depth));
      if (++seen_ % kEntriesBetweenYields == 0) co_await loop_.yield();
    }
    co_return entries_.finish();
  }

 private:
  struct Open {
    std::string name;
    std::size_t depth;
  };

  Task<Result<void>> add(std::string name, std::size_t depth) {
    const std::string path = upper_ + "/" + name;
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) co_return fail(errno_error("reading " + path, errno));
    if (is_whiteout(status)) co_return entries_.put_whiteout(std::move(name));
    CO_TRY_DO(co_await entries_.put(name, path, status, depth));
    if (!S_ISDIR(status.st_mode)) co_return Result<void>{};
    if (is_opaque(path)) CO_TRY_DO(entries_.put_opaque(name));
    co_return list(name, depth);
  }

  Result<void> list(const std::string& folder, std::size_t depth) {
    TRY(std::vector<std::string> names, sorted_names(upper_ + "/" + folder));
    // The last one is taken first.
    for (std::string& name : names | std::views::reverse)
      open_.push_back({folder.empty() ? std::move(name) : folder + "/" + name, depth + 1});
    return {};
  }

  Loop& loop_;
  std::string upper_;
  ChangedEntries entries_;
  std::vector<Open> open_;
  std::size_t seen_ = 0;
};

}  // namespace

Task<Result<void>> write_changes(Loop& loop, std::string upper, Sink tar, ChangesOptions options) {
  ChangesWriter writer{loop, std::move(upper), std::move(tar), std::move(options)};
  co_return co_await writer.run();
}

}  // namespace nuclio::oci
