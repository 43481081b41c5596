// SPDX-License-Identifier: Apache-2.0
// What is tried again, how often, and after which pause.
#pragma once
#include <chrono>
#include <optional>

#include "base/result.h"
#include "http/headers.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::http {

struct RetryPolicy {
  int attempts = 5;                        // the first one counts
  std::chrono::milliseconds first{200};    // doubled each time, give or take a quarter
  std::chrono::milliseconds most{10'000};  // a server's Retry-After may ask for more
};

// The pauses of one piece of work.
class Backoff {
 public:
  Backoff(Loop& loop, const RetryPolicy& policy, Deadline deadline)
      : loop_(loop), policy_(policy), deadline_(deadline), pause_(policy.first) {}

  // Waits before another attempt, as long as the server asked for if it did. False when there is to be none: they are
  // used up, or the deadline would come before the next one began.
  Task<bool> again(std::optional<std::chrono::seconds> asked = {});
  // The last attempt was worth something: it does not count.
  void begin_anew() {
    done_ = 1;
    pause_ = policy_.first;
  }

 private:
  Loop& loop_;
  RetryPolicy policy_;
  Deadline deadline_;
  std::chrono::milliseconds pause_;
  int done_ = 1;
};

// Whether an answer, or the lack of one, may be another one in a moment.
bool passes(int status);
bool passes(const Error& error);

// Retry-After: seconds, or a date.
std::optional<std::chrono::seconds> retry_after(const Headers& headers);

}  // namespace nuclio::http
