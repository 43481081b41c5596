// SPDX-License-Identifier: Apache-2.0
#include "loop/loop_thread.h"

#include <pthread.h>

#include <algorithm>

namespace nuclio {

LoopThread::LoopThread(std::string name) {
  std::promise<void> over;
  over_ = over.get_future();
  thread_ = std::thread{&LoopThread::live, this, std::move(over)};
  name.resize(std::min<std::size_t>(name.size(), 15));
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

LoopThread::~LoopThread() {
  (void)end(Deadline::never());
  thread_.join();
}

bool LoopThread::end(Deadline deadline, std::function<void()> last) {
  loop_.post([this, last = std::move(last)] {
    last_ = last;
    loop_.stop();
  });
  if (deadline.is_never()) {
    over_.wait();
    return true;
  }
  return over_.wait_for(deadline.left()) == std::future_status::ready;
}

void LoopThread::live(std::promise<void> over) {
  loop_.run();
  working_.cancel();  // here, where it ran
  if (last_) last_();
  detail::FramePool::release();
  over.set_value();
}

}  // namespace nuclio
