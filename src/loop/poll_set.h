// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>

#include "loop/descriptor.h"
#include "loop/loop.h"

namespace nuclio {

// Descriptors that belong to somebody else, a library such as libcurl: it opens and closes them when it likes, says of
// which it wants to know, and need not have read or written all there is before it waits again (level-triggered). Owns
// none of them; lives on its loop's thread.
class PollSet {
 public:
  explicit PollSet(Loop& loop);

  enum Interest : unsigned { kNothing = 0, kReadable = 1, kWritable = 2, kBroken = 4 };

  // Says what is wanted of a descriptor from now on, readable and writable or'ed. Before it is closed, kNothing must be
  // said: the number may come back as another one.
  void set(int descriptor, unsigned interest);

  struct Ready {
    int descriptor;
    unsigned what;  // kReadable, kWritable, kBroken or'ed
  };
  // co_await returns when something may be ready; take() then gives what is, as many as fit, without waiting.
  Watch::Wait ready(Deadline deadline) { return watch_.readable(deadline); }
  std::span<Ready> take(std::span<Ready> into);

 private:
  Descriptor set_;  // before watch_: the watch must go first
  Watch watch_;
};

}  // namespace nuclio
