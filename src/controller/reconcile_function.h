// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/value.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/function_status.h"
#include "controller/resources/desired.h"
#include "k8s/api.h"
#include "k8s/event_recorder.h"
#include "k8s/informer.h"
#include "loop/task.h"
#include "spec/platform_config.h"

namespace nuclio::controller {

// What the controller knows of the cluster, without asking. Borrowed; all of one namespace, or of all.
struct Caches {
  k8s::Informer& functions;
  k8s::Informer& projects;
  k8s::Informer& pods;                // of functions
  k8s::Informer& secrets;             // of functions, without what is in them
  k8s::Informer& revisions;           // of functions, likewise
  std::vector<k8s::Informer*> owned;  // in the order of kOwnedKinds

  const k8s::Informer& of(const k8s::Resource& kind) const;
  k8s::Informer& of(const k8s::Resource& kind);
};

struct ReconcileOptions {
  spec::PlatformConfig platform;
  std::vector<std::string> external_addresses;  // where NodePorts are reached
  std::string version;                          // of the controller
};

// Makes what Kubernetes has for a function what the function says. Called whenever the function, or something of it,
// may have changed; it looks at everything anew each time, writes only what is not as it should be, and waits for
// nothing but the API server. Lives on its loop's thread.
class FunctionReconciler {
 public:
  FunctionReconciler(k8s::Api& api, Caches caches, k8s::EventRecorder& events, ReconcileOptions options)
      : api_(api), caches_(caches), events_(events), options_(std::move(options)) {}

  struct Next {
    std::optional<std::chrono::nanoseconds> look_again = {};
  };
  // The error is one that may pass: to be tried again after a pause.
  Task<Result<Next>> reconcile(k8s::ObjectName name, Deadline deadline);

 private:
  Task<Result<void>> apply(const DesiredObject& desired, Deadline deadline);
  Task<Result<void>> remove_others(const FunctionInput& input, const std::vector<DesiredObject>& desired,
                                   Deadline deadline);
  Task<Result<void>> adopt_secrets(const FunctionInput& input, Deadline deadline);
  std::string secret_of(const boost::json::object& function) const;
  Task<Result<void>> remove_old_secrets(const FunctionInput& input, Deadline deadline);
  Task<Result<void>> record_revision(k8s::Object function, Deadline deadline);
  Task<Result<Next>> listen_to_builder(k8s::Object function, Deadline deadline);
  Task<Result<void>> complain(k8s::Object function, std::string_view reason, std::string message, Deadline deadline);
  Task<Result<void>> write_status(k8s::Object function, boost::json::object status, Deadline deadline);
  Task<std::string> last_words(k8s::ObjectName pod, Deadline deadline);
  std::map<std::string, std::string> project_selector(const spec::FunctionConfig& config) const;
  std::vector<k8s::Object> pods_of(const k8s::ObjectName& function) const;

  k8s::Api& api_;
  Caches caches_;
  k8s::EventRecorder& events_;
  ReconcileOptions options_;

  // What the builder of a function said last, and since when it has said nothing else, on our own clock.
  struct Heard {
    boost::json::value said;
    std::chrono::steady_clock::time_point since;
  };
  std::map<k8s::ObjectName, Heard> heard_;  // of those that are being built
};

}  // namespace nuclio::controller
