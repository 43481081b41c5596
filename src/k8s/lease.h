// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>

#include "base/result.h"
#include "k8s/api.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::k8s {

struct LeaseOptions {
  ObjectName name;
  std::string identity;                        // ours alone, also over restarts: pod's name and a random part
  std::chrono::milliseconds duration{15'000};  // others take over after so long without a renewal, on their own clocks
  std::chrono::milliseconds renew_every{5'000};
  // We stop leading when we could not renew for so long: before others begin.
  std::chrono::milliseconds give_up_after{10'000};
};

// One leader at a time by a Lease (coordination.k8s.io/v1), as client-go's leader election does it, so either can stand
// beside the other. Lives on its loop's thread.
class Lease {
 public:
  Lease(Loop& loop, Api& api, LeaseOptions options);
  // Returns once we lead. Server errors are waited out and logged.
  Task<void> acquire();
  // Renews in the background of its caller: returns when we no longer may lead, with the reason.
  Task<Error> hold();
  // Gives it back, so that the next one need not wait.
  Task<void> release(Deadline deadline);

 private:
  Loop& loop_;
  Api& api_;
  LeaseOptions options_;
};

}  // namespace nuclio::k8s
