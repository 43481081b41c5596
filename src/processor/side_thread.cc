// SPDX-License-Identifier: Apache-2.0
#include "processor/side_thread.h"

#include <atomic>
#include <utility>

namespace nuclio::processor {
namespace {
std::atomic<int> threads_left_behind = 0;
}  // namespace

int SideThread::left_behind() { return threads_left_behind; }

SideThread::SideThread(Loop& loop, std::function<void()> work) : changed_(loop), link_(std::make_shared<Link>()) {
  link_->owner = this;
  thread_ = std::thread([link = link_, work = std::move(work), &loop] {
    work();
    std::lock_guard lock(link->mutex);
    // While there is an owner there is a loop, and the owner cannot go while the lock is held.
    if (!link->owner) return;
    loop.post([link] {
      if (!link->owner) return;
      link->owner->done_ = true;
      link->owner->changed_.notify_all();
    });
  });
}

SideThread::~SideThread() {
  {
    std::lock_guard lock(link_->mutex);
    link_->owner = nullptr;
  }
  if (done_) {
    thread_.join();
  } else {
    ++threads_left_behind;
    thread_.detach();
  }
}

Task<bool> SideThread::finished(Deadline deadline) {
  while (!done_) {
    bool in_time = co_await changed_.wait(deadline);
    if (!in_time) break;
  }
  co_return done_;
}

}  // namespace nuclio::processor
