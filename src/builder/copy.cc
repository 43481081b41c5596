// SPDX-License-Identifier: Apache-2.0
#include "builder/copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "loop/descriptor.h"

namespace nuclio::builder {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunk = 1 << 20;

Result<void> copy_link(const fs::path& root, const fs::path& from, const fs::path& to) {
  TRY(const std::string target, link_within(root.string(), from.string()));
  std::error_code error;
  fs::create_symlink(target, to, error);
  if (error) return fail(errno_error("making the link " + to.string(), error.value()));
  return {};
}

Result<void> write_all(int descriptor, std::string_view bytes, const fs::path& to) {
  while (!bytes.empty()) {
    ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("writing " + to.string());
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Task<Result<void>> copy_file(Loop& loop, fs::path from, fs::path to, Bytes& left) {
  Descriptor in{::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (!in) co_return fail_errno("opening " + from.string());
  struct stat info{};
  if (::fstat(in.get(), &info) != 0) co_return fail_errno("looking at " + from.string());
  if (!S_ISREG(info.st_mode))
    co_return fail(Why::invalid, from.string() + " is no file any more; it changed while it was copied");
  Descriptor out{::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (info.st_mode & 0755) | 0600)};
  if (!out) co_return fail_errno("creating " + to.string());
  std::string buffer(kChunk, '\0');
  for (;;) {
    ssize_t count = ::read(in.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) co_return fail_errno("reading " + from.string());
    if (count == 0) co_return Result<void>{};
    auto size = static_cast<std::size_t>(count);
    if (size > left.count)
      co_return fail(Why::too_large, "the function's folder is too large: the limit is reached at " + from.string() +
                                         "; leave out what the function does not need");
    left.count -= size;
    CO_TRY_DO(write_all(out.get(), std::string_view(buffer).substr(0, size), to));
    if (size == buffer.size()) co_await loop.yield();
  }
}

}  // namespace

bool is_left_out(std::string_view name) { return name == ".git" || name == "__pycache__" || name == ".nuclio"; }

Task<Result<void>> copy_folder(Loop& loop, std::string from, std::string to, CopyLimits limits) {
  std::error_code error;
  fs::path root = fs::canonical(from, error);
  if (error) co_return fail(Why::invalid, "cannot find " + from + ": " + error.message());
  fs::path target_root = fs::weakly_canonical(to, error);
  std::size_t entries = 0;
  Bytes left = limits.total;
  fs::recursive_directory_iterator entry(root, error);
  for (fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    const fs::path path = entry->path();
    if (is_left_out(path.filename().native()) || path == target_root) {
      entry.disable_recursion_pending();
      continue;
    }
    if (++entries > limits.files)
      co_return fail(Why::too_large, "the function's folder " + from + " holds more than " +
                                         std::to_string(limits.files) +
                                         " files; leave out what the function does not need");
    if (static_cast<std::size_t>(entry.depth()) >= limits.depth)
      co_return fail(Why::too_large, path.string() + " lies deeper than " + std::to_string(limits.depth) + " folders");
    fs::path target = fs::path(to) / path.lexically_relative(root);
    fs::file_status status = entry->symlink_status(error);
    if (error) break;
    if (fs::is_symlink(status)) {
      CO_TRY_DO(copy_link(root, path, target));
    } else if (fs::is_directory(status)) {
      fs::create_directory(target, error);
      if (error) co_return fail(errno_error("making the folder " + target.string(), error.value()));
    } else if (fs::is_regular_file(status)) {
      CO_TRY_DO(co_await copy_file(loop, path, target, left));
      if (entries % 64 == 0) co_await loop.yield();
    } else {
      co_return fail(Why::invalid, path.string() + " is neither a file nor a folder; it cannot be part of a function");
    }
  }
  if (error) co_return fail(Why::invalid, "reading the folder " + from + ": " + error.message());
  co_return Result<void>{};
}

Result<std::string> link_within(const std::string& root, const std::string& link) {
  std::error_code error;
  const fs::path target = fs::read_symlink(link, error);
  if (error) return fail(Why::invalid, "reading the link " + link + ": " + error.message());
  const fs::path top = root;
  const fs::path real = fs::weakly_canonical(link, error);
  auto [at, end] = std::mismatch(top.begin(), top.end(), real.begin(), real.end());
  if (error || target.is_absolute() || at != top.end())
    return fail(Why::invalid, "the link " + link + " leads out of the function's folder, to " + target.string() +
                                  "; copy what it points to, or remove it");
  return target.string();
}

Result<void> write_new_file(const std::string& folder, const std::string& name, std::string_view text) {
  fs::path path = fs::path(folder) / name;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return fail(errno_error("making the folder " + path.parent_path().string(), error.value()));
  Descriptor out{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
  if (!out) return fail_errno("creating " + path.string());
  return write_all(out.get(), text, path);
}

}  // namespace nuclio::builder
