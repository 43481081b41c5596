// SPDX-License-Identifier: Apache-2.0
#include "platform/process/trash.h"

#include <unistd.h>

#include <filesystem>

#include "platform/process/home.h"

namespace nuclio::platform::process {
namespace {

namespace fs = std::filesystem;

}  // namespace

Trash::Trash(Loop& loop, std::string folder) : loop_(loop), folder_(std::move(folder)), work_(loop) {
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error))
    work_.spawn(remove(entry->path().string()));
}

void Trash::take(const std::string& path) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return;
  (void)make_private_folder(folder_);
  std::string place = folder_ + "/" + std::to_string(::getpid()) + "-" + std::to_string(++taken_);
  fs::rename(path, place, error);
  if (error) return remove_folder(path);  // where it is, then
  work_.spawn(remove(std::move(place)));
}

// Files first, a few at a time; what is left is a tree of folders.
Task<void> Trash::remove(std::string path) {
  constexpr int kAtATime = 32;
  co_await loop_.yield();
  std::error_code error;
  int count = 0;
  for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) continue;
    ::unlink(entry->path().c_str());
    if (++count % kAtATime == 0) co_await loop_.yield();
  }
  remove_folder(path);
}

}  // namespace nuclio::platform::process
