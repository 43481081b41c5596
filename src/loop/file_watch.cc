// SPDX-License-Identifier: Apache-2.0
#include "loop/file_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

namespace nuclio {

FileWatch::FileWatch(Loop& loop, Descriptor descriptor)
    : descriptor_(std::move(descriptor)), watch_(std::make_unique<Watch>(loop, descriptor_.get())) {}

Result<FileWatch> FileWatch::create(Loop& loop) {
  Descriptor descriptor{inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
  if (!descriptor) return fail_errno("watching files");
  return FileWatch{loop, std::move(descriptor)};
}

Result<void> FileWatch::add(const std::string& path) {
  constexpr std::uint32_t kChanges =
      IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_MOVE_SELF | IN_DELETE_SELF;
  if (inotify_add_watch(descriptor_.get(), path.c_str(), kChanges) < 0) return fail_errno("watching " + path);
  return {};
}

Task<bool> FileWatch::changed(Deadline deadline) {
  char buffer[4096];
  for (;;) {
    bool any = false;
    while (read(descriptor_.get(), buffer, sizeof buffer) > 0) any = true;
    watch_->drained(Watch::Direction::read);
    if (any) co_return true;
    bool ready = co_await watch_->readable(deadline);
    if (!ready) co_return false;
  }
}

}  // namespace nuclio
