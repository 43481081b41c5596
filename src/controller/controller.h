// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "controller/reconcile_function.h"
#include "k8s/api.h"
#include "k8s/event_recorder.h"
#include "k8s/informer.h"
#include "k8s/work_queue.h"
#include "loop/group.h"
#include "loop/loop.h"
#include "spec/platform_config.h"

namespace nuclio::controller {

struct ControllerOptions {
  std::string namespace_name;  // whose functions; "" for all namespaces
  std::string instance;        // for events: the pod's name
  ReconcileOptions reconcile;
  std::size_t workers = 4;             // functions that are looked at at the same time
  std::chrono::nanoseconds resync{0};  // look at all again after so long; 0: only when something changed
  std::chrono::nanoseconds evicted_cleanup = std::chrono::minutes{30};  // 0: evicted pods stay
};

// Watches functions and what is made for them, and reconciles those of which something has changed. Lives on its loop's
// thread; `api` outlives it.
class Controller {
 public:
  Controller(Loop& loop, k8s::Api& api, ControllerOptions options);
  // Works until it is destroyed. Returns only when it cannot: Why::not_found (Nuclio's kinds are not installed),
  // Why::forbidden (we may not watch something), Why::timeout.
  Task<Error> run(Deadline ready);
  bool ready() const { return ready_; }

 private:
  void enqueue_owner(const k8s::Object& before, const k8s::Object& now);
  void enqueue_functions_of(const k8s::Object& project);
  Task<void> work();
  Task<void> resync();
  Task<void> remove_evicted();
  std::vector<k8s::Informer*> informers();

  Loop& loop_;
  k8s::Api& api_;
  ControllerOptions options_;
  k8s::WorkQueue queue_;
  k8s::EventRecorder events_;
  k8s::Informer functions_, projects_, pods_, secrets_, revisions_;
  std::vector<std::unique_ptr<k8s::Informer>> owned_;  // in the order of kOwnedKinds
  FunctionReconciler reconciler_;
  bool ready_ = false;
  Group workers_;
};

}  // namespace nuclio::controller
