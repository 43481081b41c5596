// SPDX-License-Identifier: Apache-2.0
#include "oci/changed_entries.h"

#include <dirent.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "oci/put_file.h"

namespace nuclio::oci {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

std::size_t last_part(const std::string& name) { return name.rfind('/') + 1; }

}  // namespace

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

Result<void> ChangedEntries::count() {
  const LayerLimits& limits = options_.layer.limits;
  if (++entries_ > limits.entries)
    return fail(Why::too_large, "a layer must have at most " + std::to_string(limits.entries) +
                                    " files and folders, and the commands made more");
  return {};
}

Task<Result<void>> ChangedEntries::put(std::string name, std::string path, struct stat status, std::size_t depth) {
  const LayerLimits& limits = options_.layer.limits;
  CO_TRY_DO(count());
  if (std::string_view(name).substr(last_part(name)).starts_with(kWhiteout))
    co_return fail(Why::invalid, "/" + name + ": a name that begins with \".wh.\" would delete a file of the image");
  TarEntry entry{.name = name, .mode = static_cast<int>(status.st_mode & 07777), .modified = options_.layer.modified};
  if (owners_ == Owners::as_found) {
    entry.owner = status.st_uid;
    entry.group = status.st_gid;
  }
  if (S_ISDIR(status.st_mode)) {
    if (depth > limits.depth)
      co_return fail(Why::too_large,
                     "/" + name + ": folders must be nested at most " + std::to_string(limits.depth) + " deep");
    entry.kind = TarEntry::Kind::folder;
    co_return tar_.begin(entry);
  }
  if (!S_ISLNK(status.st_mode) && !S_ISREG(status.st_mode)) {
    if (options_.left_out) options_.left_out(name);
    co_return Result<void>{};
  }
  if (status.st_nlink > 1) {
    const auto [first, is_first] = links_.try_emplace({status.st_dev, status.st_ino}, name);
    if (!is_first) {
      entry.kind = TarEntry::Kind::hard_link;
      entry.target = first->second;
      co_return tar_.begin(entry);
    }
  }
  if (S_ISLNK(status.st_mode)) co_return put_link(std::move(entry), path);
  entry.size = Bytes{static_cast<std::uint64_t>(status.st_size)};
  total_ += entry.size.count;
  if (total_ > limits.total.count)
    co_return fail(Why::too_large, "a layer must have at most " + std::to_string(limits.total.count) +
                                       " bytes, and the commands wrote more");
  co_return co_await put_file(loop_, tar_, entry, path);
}

Result<void> ChangedEntries::put_whiteout(std::string name) {
  TRY_DO(count());
  name.insert(last_part(name), kWhiteout);
  return tar_.begin({.name = std::move(name), .modified = options_.layer.modified});
}

Result<void> ChangedEntries::put_opaque(const std::string& name) {
  return tar_.begin({.name = name + "/" + std::string(kOpaque), .modified = options_.layer.modified});
}

Result<void> ChangedEntries::put_link(TarEntry entry, const std::string& path) {
  std::array<char, PATH_MAX> target;
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return fail_errno("reading " + path);
  entry.kind = TarEntry::Kind::link;
  entry.target.assign(target.data(), static_cast<std::size_t>(size));
  return tar_.begin(entry);
}

}  // namespace nuclio::oci
