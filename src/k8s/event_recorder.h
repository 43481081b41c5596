// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "k8s/api.h"
#include "loop/loop.h"

namespace nuclio::k8s {

enum class EventType { normal, warning };

// Tells people of what happened to an object, where `kubectl describe` and `kubectl get events` show it. Best effort:
// sent in the background, the same event again within ten minutes only counts up (series), at most a few a second for
// an object, a bounded number waiting. Lives on its loop's thread; `api` outlives it.
class EventRecorder {
 public:
  // `component` as in "nuclio-controller", `instance` as in the pod's name. Repetitions are told every `count_every`.
  EventRecorder(Loop& loop, Api& api, std::string component, std::string instance,
                std::chrono::milliseconds count_every = std::chrono::seconds{10});
  ~EventRecorder();
  // `about` is the object: apiVersion, kind, metadata. `reason` is one UpperCamelCase word of at most 128 characters,
  // `action` what was done ("Deploy"), `note` for people, cut at 1024 bytes.
  void record(const boost::json::object& about, EventType type, std::string reason, std::string action,
              std::string note);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nuclio::k8s
