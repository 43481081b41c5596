// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "loop/clock.h"
#include "loop/wait_list.h"

namespace nuclio {

// A clock that stands still until it is moved, for tests.
class ManualClock final : public Clock {
 public:
  ManualClock(Loop& loop, SystemTime start) : now_(start), moved_(loop) {}
  SystemTime now() const override { return now_; }
  Task<void> sleep_until(SystemTime when) override {
    while (now_ < when) (void)co_await moved_.wait();
  }
  void move_to(SystemTime when) {
    now_ = when;
    moved_.notify_all();
  }

 private:
  SystemTime now_;
  WaitList moved_;
};

}  // namespace nuclio
