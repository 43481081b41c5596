// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
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
// beside the other. No clock is compared with another's: a lease that has not changed for as long as it lasts, since it
// was seen here, is over. Lives on its loop's thread; `api` outlives it.
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
  Task<Result<bool>> try_to_lead(Deadline deadline);
  Task<Result<void>> renew(Deadline deadline);
  Task<Result<void>> write(boost::json::object object, Deadline deadline);
  void look_at(boost::json::object object);
  std::string holder() const;
  bool is_over() const;
  boost::json::object with_us_as_holder() const;

  Loop& loop_;
  Api& api_;
  LeaseOptions options_;
  boost::json::object seen_;  // as it was last seen; empty for none
  SteadyTime seen_at_{};      // when it was first seen with its present spec
  SteadyTime renewed_at_{};   // when the last renewal that succeeded was begun
};

}  // namespace nuclio::k8s
