// SPDX-License-Identifier: Apache-2.0
#include "oci/changes.h"

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <ranges>
#include <utility>
#include <vector>

#include "oci/put_file.h"
#include "oci/tar_writer.h"

namespace nuclio::oci {
namespace {

constexpr std::size_t kEntriesBetweenYields = 200;
constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

// An overlay that is mounted without privileges keeps its marks in "user.", others in "trusted.".
bool is_opaque(const std::string& folder) {
  for (const char* name : {"user.overlay.opaque", "trusted.overlay.opaque"}) {
    char value = 0;
    if (::lgetxattr(folder.c_str(), name, &value, 1) == 1 && value == 'y') return true;
  }
  return false;
}

bool is_whiteout(const struct stat& status) { return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0); }

Result<std::vector<std::string>> sorted_names(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> list{::opendir(folder.c_str()), ::closedir};
  if (!list) return fail_errno("reading " + folder);
  std::vector<std::string> names;
  while (const dirent* found = ::readdir(list.get())) {
    const std::string_view name = found->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

class ChangesWriter {
 public:
  ChangesWriter(Loop& loop, std::string upper, Sink tar, ChangesOptions options)
      : loop_(loop), upper_(std::move(upper)), tar_(std::move(tar)), options_(std::move(options)) {}

  Task<Result<void>> run() {
    CO_TRY_DO(list("", 0));
    while (!open_.empty()) {
      auto [name, depth] = std::move(open_.back());
      open_.pop_back();
      CO_TRY_DO(co_await add(std::move(name), depth));
      if (++seen_ % kEntriesBetweenYields == 0) co_await loop_.yield();
    }
    co_return tar_.finish();
  }

 private:
  struct Open {
    std::string name;
    std::size_t depth;
  };

  Task<Result<void>> add(std::string name, std::size_t depth) {
    const LayerLimits& limits = options_.layer.limits;
    if (seen_ >= limits.entries)
      co_return fail(Why::too_large, "a layer must have at most " + std::to_string(limits.entries) +
                                         " files and folders, and the commands made more");
    const std::string path = upper_ + "/" + name;
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) co_return fail(errno_error("reading " + path, errno));
    const std::size_t last = name.rfind('/') + 1;
    if (is_whiteout(status)) {
      name.insert(last, kWhiteout);
      co_return tar_.begin({.name = std::move(name), .modified = options_.layer.modified});
    }
    if (std::string_view(name).substr(last).starts_with(kWhiteout))
      co_return fail(Why::invalid, "/" + name + ": a name that begins with \".wh.\" would delete a file of the image");
    TarEntry entry{.name = name, .mode = static_cast<int>(status.st_mode & 07777), .modified = options_.layer.modified};
    entry.owner = status.st_uid;
    entry.group = status.st_gid;
    if (S_ISDIR(status.st_mode)) co_return folder(std::move(entry), path, depth);
    if (S_ISLNK(status.st_mode) || S_ISREG(status.st_mode)) {
      if (status.st_nlink > 1) {
        const auto [first, is_first] = links_.try_emplace({status.st_dev, status.st_ino}, name);
        if (!is_first) {
          entry.kind = TarEntry::Kind::hard_link;
          entry.target = first->second;
          co_return tar_.begin(entry);
        }
      }
      if (S_ISLNK(status.st_mode)) co_return link(std::move(entry), path);
      entry.size = Bytes{static_cast<std::uint64_t>(status.st_size)};
      total_ += entry.size.count;
      if (total_ > limits.total.count)
        co_return fail(Why::too_large, "a layer must have at most " + std::to_string(limits.total.count) +
                                           " bytes, and the commands wrote more");
      co_return co_await put_file(loop_, tar_, entry, path);
    }
    if (options_.left_out) options_.left_out(name);
    co_return Result<void>{};
  }

  Result<void> folder(TarEntry entry, const std::string& path, std::size_t depth) {
    if (depth > options_.layer.limits.depth)
      return fail(Why::too_large, "/" + entry.name + ": folders must be nested at most " +
                                      std::to_string(options_.layer.limits.depth) + " deep");
    entry.kind = TarEntry::Kind::folder;
    TRY_DO(tar_.begin(entry));
    if (is_opaque(path))
      TRY_DO(tar_.begin({.name = entry.name + "/" + std::string(kOpaque), .modified = options_.layer.modified}));
    return list(entry.name, depth);
  }

  Result<void> link(TarEntry entry, const std::string& path) {
    std::array<char, PATH_MAX> target;
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size < 0) return fail_errno("reading " + path);
    entry.kind = TarEntry::Kind::link;
    entry.target.assign(target.data(), static_cast<std::size_t>(size));
    return tar_.begin(entry);
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
  TarWriter tar_;
  ChangesOptions options_;
  std::vector<Open> open_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;
  std::uint64_t total_ = 0;
  std::size_t seen_ = 0;
};

}  // namespace

Task<Result<void>> write_changes(Loop& loop, std::string upper, Sink tar, ChangesOptions options) {
  ChangesWriter writer{loop, std::move(upper), std::move(tar), std::move(options)};
  co_return co_await writer.run();
}

}  // namespace nuclio::oci
