// SPDX-License-Identifier: Apache-2.0
#include "oci/beneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>
#include <vector>

namespace nuclio::oci {
namespace {

std::string quoted(const std::string& name) { return "\"" + name.substr(0, 300) + "\""; }

Descriptor open_in(int root, const std::string& name) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long opened = ::syscall(SYS_openat2, root, name.c_str(), &how, sizeof how);
    // Said when something was renamed while ".." was looked up.
    if (opened < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    return Descriptor{static_cast<int>(opened)};
  }
}

std::string parent_of(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string::npos ? "." : name.substr(0, slash);
}
std::string last_of(const std::string& name) { return name.substr(name.rfind('/') + 1); }

}  // namespace

Result<Beneath> Beneath::open(const std::string& root) {
  Descriptor folder{::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!folder) return fail_errno("opening " + root);
  return Beneath{root, std::move(folder)};
}

Result<Descriptor> Beneath::folder(const std::string& name) const {
  Descriptor folder = open_in(root_.get(), name);
  if (folder) return folder;
  if (errno == ENOENT) return fail(Why::not_found, quoted(name) + " is not there");
  if (errno == ENOTDIR || errno == ELOOP || errno == EXDEV)
    return fail(Why::invalid, quoted(name) + " must lead to a folder, and leads to a file or in circles");
  return fail_errno("opening " + path_ + "/" + name);
}

Result<Place> Beneath::find(const std::string& name) const {
  TRY(Descriptor folder, this->folder(parent_of(name)));
  return Place{std::move(folder), last_of(name)};
}

Result<Place> Beneath::make(const std::string& name) const {
  auto place = find(name);
  if (place || place.error().why != Why::not_found) return place;
  TRY(const Place above, make(parent_of(name)));
  if (::mkdirat(above.folder.get(), above.name.c_str(), 0755) != 0) {
    if (errno != EEXIST) return fail_errno("making the folder " + path_ + "/" + parent_of(name));
    return fail(Why::invalid,
                quoted(parent_of(name)) + " is a link to nothing, so there is no folder for " + quoted(name));
  }
  return find(name);
}

Result<std::string> entry_name(const std::string& name, std::size_t depth) {
  if (name.starts_with('/'))
    return fail(Why::invalid, "the name " + quoted(name) + " must be relative, and is absolute");
  std::string out;
  std::size_t parts = 0;
  for (std::string_view rest = name; !rest.empty();) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
    if (part == "..") return fail(Why::invalid, "the name " + quoted(name) + " must not have \"..\" in it");
    if (part.empty() || part == ".") continue;
    if (++parts > depth)
      return fail(Why::too_large,
                  "the name " + quoted(name) + " must have at most " + std::to_string(depth) + " parts");
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

namespace {

Result<void> remove_content(Descriptor folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> list{::fdopendir(folder.get()), ::closedir};
  if (!list) return fail_errno("reading a folder that is to be removed");
  const int descriptor = folder.release();  // the list closes it
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  for (const std::string& name : names) TRY_DO(remove_tree(descriptor, name));
  return {};
}

}  // namespace

Result<void> remove_tree(int folder, const std::string& name) {
  if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return fail_errno("removing " + name);
  Descriptor inner{::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!inner) return fail_errno("removing " + name);
  TRY_DO(remove_content(std::move(inner)));
  if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) != 0) return fail_errno("removing " + name);
  return {};
}

}  // namespace nuclio::oci
