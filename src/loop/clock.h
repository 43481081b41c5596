// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>

#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio {

using SystemTime = std::chrono::system_clock::time_point;

// Wall-clock time, for what happens at a time of day. Tests move theirs by hand (manual_clock.h).
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SystemTime now() const = 0;
  // Returns at or after `when`, also when the clock is set meanwhile.
  virtual Task<void> sleep_until(SystemTime when) = 0;
};

class SystemClock final : public Clock {
 public:
  explicit SystemClock(Loop& loop) : loop_(loop) {}
  SystemTime now() const override { return std::chrono::system_clock::now(); }
  Task<void> sleep_until(SystemTime when) override;

 private:
  Loop& loop_;
};

}  // namespace nuclio
