// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <memory>

#include "oci/beneath.h"
#include "oci/digest.h"
#include "oci/file.h"

namespace nuclio::builder {
namespace {

constexpr std::string_view kVersion = "1";  // of how a root is made of its layers
constexpr std::size_t kDeepest = 128;

using OpenFolder = std::unique_ptr<DIR, int (*)(DIR*)>;

OpenFolder list_of(Descriptor folder) {
  OpenFolder list{folder ? ::fdopendir(folder.get()) : nullptr, ::closedir};
  if (list) (void)folder.release();  // the list closes it
  return list;
}

std::vector<std::string> names_in(const std::string& folder) {
  const OpenFolder list{::opendir(folder.c_str()), ::closedir};
  std::vector<std::string> names;
  while (const dirent* entry = list ? ::readdir(list.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("making the folder " + path);
  return {};
}

bool is_folder(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// The lock of a folder, which is the folder's own, so that it goes with it. Why::busy when another has it and `how`
// does not wait; Why::not_found when the folder went, or another took its place, while we waited.
Result<Descriptor> lock_folder(const std::string& path, int how) {
  Descriptor folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder) return fail_errno("opening " + path);
  while (::flock(folder.get(), how) != 0) {
    if (errno == EWOULDBLOCK) return fail(Why::busy, path + " is in use");
    if (errno != EINTR) return fail_errno("locking " + path);
  }
  struct stat locked{};
  struct stat there{};
  const bool same = ::fstat(folder.get(), &locked) == 0 && ::lstat(path.c_str(), &there) == 0 &&
                    locked.st_dev == there.st_dev && locked.st_ino == there.st_ino;
  if (!same) return fail(Why::not_found, path + " was removed");
  return folder;
}

Result<Descriptor> make_and_lock(const std::string& path, int how, const LogLine& log) {
  for (int wait = LOCK_NB;;) {
    TRY_DO(make_folder(path));
    auto lock = lock_folder(path, how | wait);
    if (lock || (lock.error().why != Why::busy && lock.error().why != Why::not_found)) return lock;
    if (lock.error().why == Why::busy) {
      log("waiting for another build, which unpacks the same base");
      wait = 0;
    }
  }
}

// What a mount is put on must be there, also when the base does not have it. A layer of changes does not show that,
// since it is below.
Result<void> add_mount_points(const std::string& root) {
  TRY(const oci::Beneath beneath, oci::Beneath::open(root));
  for (const char* name : {"proc", "dev", "sys"}) {
    TRY(const oci::Place place, beneath.make(name));
    struct stat status{};
    if (::mkdirat(place.folder.get(), place.name.c_str(), 0755) == 0) continue;
    if (errno != EEXIST || ::fstatat(place.folder.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      return fail_errno("making /" + std::string(name) + " of the base");
    if (!S_ISDIR(status.st_mode))
      return fail(Why::invalid, "the base image is none that commands can run in: its /" + std::string(name) +
                                    " must be a folder, and is not");
  }
  for (const char* name : {"etc/resolv.conf", "etc/hosts"}) {
    TRY(const oci::Place place, beneath.make(name));
    struct stat status{};
    const bool there = ::fstatat(place.folder.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && S_ISREG(status.st_mode)) continue;
    // Often a link to what an init would make.
    if (there && ::unlinkat(place.folder.get(), place.name.c_str(), 0) != 0)
      return fail_errno("replacing /" + std::string(name) + " of the base");
    const Descriptor made{
        ::openat(place.folder.get(), place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
    if (!made) return fail_errno("making /" + std::string(name) + " of the base");
  }
  return {};
}

Task<Result<void>> make_root(Loop& loop, const std::string& folder, const std::vector<OpenLayer>& layers,
                             oci::Owners owners) {
  const std::string root = folder + "/new";
  CO_TRY_DO(remove_folder(root));
  CO_TRY_DO(make_folder(root));
  if (::chmod(root.c_str(), 0755) != 0) co_return fail(errno_error("making the folder " + root, errno));
  CO_TRY(const Bytes unpacked, co_await unpack_into(loop, root, layers, owners));
  // A root that has its name is taken for whole, also by who comes after the machine has crashed.
  const Descriptor made{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!made || ::syncfs(made.get()) != 0) co_return fail(errno_error("writing " + root, errno));
  CO_TRY(oci::NewFile size, oci::NewFile::create(folder + "/size"));
  CO_TRY_DO(size.write(std::to_string(unpacked.count)));
  CO_TRY_DO(size.keep());
  if (::rename(root.c_str(), (folder + "/root").c_str()) != 0)
    co_return fail(errno_error("making the folder " + folder + "/root", errno));
  co_return Result<void>{};
}

void add_usage(Descriptor folder, std::size_t depth, Usage& usage) {
  const OpenFolder list = list_of(std::move(folder));
  while (const dirent* entry = list ? ::readdir(list.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat status{};
    if (::fstatat(::dirfd(list.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    ++usage.entries;
    usage.bytes.count += static_cast<std::uint64_t>(status.st_blocks) * 512;
    if (!S_ISDIR(status.st_mode)) continue;
    if (depth == kDeepest) {
      usage.too_deep = true;
      continue;
    }
    add_usage(Descriptor{::openat(::dirfd(list.get()), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)},
              depth + 1, usage);
  }
}

}  // namespace

Result<void> open_store() {
  for (const char* folder : {"roots", "work"}) TRY_DO(make_folder(folder));
  for (const std::string& name : names_in("work"))
    if (const auto lock = lock_folder("work/" + name, LOCK_EX | LOCK_NB)) (void)remove_folder("work/" + name);
  return {};
}

Result<WorkFolder> WorkFolder::create() {
  std::array<char, 16> path{"work/XXXXXX"};
  if (!::mkdtemp(path.data())) return fail_errno("making a folder to work in");
  // Between the two lines another process may have taken it for left over.
  auto lock = lock_folder(path.data(), LOCK_EX | LOCK_NB);
  if (!lock && lock.error().why != Why::busy && lock.error().why != Why::not_found) return fail(lock.error());
  if (!lock) return create();
  return WorkFolder{path.data(), std::move(*lock)};
}

WorkFolder::WorkFolder(WorkFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

WorkFolder::~WorkFolder() {
  if (!path_.empty()) (void)remove_folder(path_);
}

Task<Result<KeptRoot>> keep_root(Loop& loop, const std::string& base, const std::vector<OpenLayer>& layers,
                                 oci::Owners owners, const LogLine& log) {
  const std::string folder =
      "roots/" + std::string(oci::Digest::of(std::string(kVersion) + "\n" + base).hex().substr(0, 32));
  for (;;) {
    CO_TRY(Descriptor reading, make_and_lock(folder, LOCK_SH, log));
    if (is_folder(folder + "/root")) {
      (void)::utimensat(AT_FDCWD, folder.c_str(), nullptr, 0);  // used now
      co_return KeptRoot{folder + "/root", std::move(reading)};
    }
    reading.reset();
    CO_TRY(const Descriptor writing, make_and_lock(folder, LOCK_EX, log));
    if (is_folder(folder + "/root")) continue;
    log("unpacking the base");
    auto done = co_await make_root(loop, folder, layers, owners);
    if (!done) {
      (void)remove_folder(folder);
      co_return fail(std::move(done).error().in("unpacking the base image"));
    }
  }
}

Task<Result<Bytes>> unpack_into(Loop& loop, const std::string& root, const std::vector<OpenLayer>& layers,
                                oci::Owners owners) {
  CO_TRY(oci::Unpacker unpacker,
         oci::Unpacker::into(root, {.owners = owners, .special_files = oci::SpecialFiles::left_out}));
  for (const OpenLayer& layer : layers) CO_TRY_DO(co_await unpacker.layer(loop, layer.file, layer.name));
  CO_TRY_DO(add_mount_points(root));
  co_return unpacker.total();
}

void remove_old_roots(std::size_t most, Bytes most_bytes) {
  struct Root {
    std::string folder;
    timespec used;
    std::uint64_t size;
  };
  std::vector<Root> roots;
  std::uint64_t total = 0;
  for (const std::string& name : names_in("roots")) {
    struct stat status{};
    const std::string folder = "roots/" + name;
    if (::lstat(folder.c_str(), &status) != 0) continue;
    const std::string text = oci::read_whole_file(folder + "/size", Bytes{64}).value_or("");
    std::uint64_t size = 0;
    std::from_chars(text.data(), text.data() + text.size(), size);
    total += size;
    roots.push_back({folder, status.st_mtim, size});
  }
  std::ranges::sort(roots, {}, [](const Root& root) { return std::pair{root.used.tv_sec, root.used.tv_nsec}; });
  std::size_t left = roots.size();
  for (const Root& root : roots) {
    if (left <= most && total <= most_bytes.count) return;
    const auto lock = lock_folder(root.folder, LOCK_EX | LOCK_NB);
    if (!lock || !remove_folder(root.folder)) continue;
    --left;
    total -= root.size;
  }
}

Usage usage_of(const std::string& folder) {
  Usage usage;
  add_usage(Descriptor{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)}, 0, usage);
  return usage;
}

// Each folder is moved up to the top before it is emptied, so that neither stack nor descriptors grow with the depth,
// which whoever made the folder has chosen.
Result<void> remove_folder(const std::string& path) {
  const Descriptor top{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!top) {
    if (errno == ENOENT) return {};
    return fail_errno("removing " + path);
  }
  std::size_t moved = 0;
  std::vector<std::string> folders{"."};
  while (!folders.empty()) {
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    const OpenFolder list =
        list_of(Descriptor{::openat(top.get(), folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)});
    if (!list && errno == ENOENT) continue;  // moved once more, since a name like ours was there before
    if (!list) return fail_errno("removing " + path);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(list.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    for (const std::string& name : names) {
      if (::unlinkat(::dirfd(list.get()), name.c_str(), 0) == 0 || errno == ENOENT) continue;
      if (errno != EISDIR && errno != EPERM) return fail_errno("removing " + path);
      for (;;) {
        std::string other = ".removed-" + std::to_string(moved++);
        if (::renameat(::dirfd(list.get()), name.c_str(), top.get(), other.c_str()) == 0) {
          folders.push_back(std::move(other));
          break;
        }
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) return fail_errno("removing " + path);
      }
    }
    if (folder != "." && ::unlinkat(top.get(), folder.c_str(), AT_REMOVEDIR) != 0)
      return fail_errno("removing " + path);
  }
  if (::rmdir(path.c_str()) != 0) return fail_errno("removing " + path);
  return {};
}

}  // namespace nuclio::builder
