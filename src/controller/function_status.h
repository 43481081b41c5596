// SPDX-License-Identifier: Apache-2.0
// How far a function has come, from what Kubernetes says of its parts. Pure functions.
#pragma once
#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controller/resources/cron_jobs.h"
#include "k8s/informer.h"
#include "spec/function.h"

namespace nuclio::controller {

// A Deployment on its way.
struct Rollout {
  enum class Stage {
    going_on,
    complete,  // all replicas are of the newest template, and answer
    stuck,     // and may come free by itself: an image that cannot be pulled, no node with room
    broken     // the function itself ends or never answers
  } stage = Stage::going_on;
  std::string reason;                                       // of a stuck or broken one, one UpperCamelCase word
  std::string message;                                      // for people
  std::string crashed_pod = {};                             // whose last words would help; "" for none
  std::optional<std::chrono::nanoseconds> look_again = {};  // when time alone may change this answer
};

struct RolloutInput {
  const boost::json::object* deployment = nullptr;  // as the API server has it; null when it is not there yet
  std::vector<k8s::Object> pods;                    // all of the function's
  bool patient = false;                             // waitReadinessTimeoutBeforeFailure: only the time-out counts
  std::chrono::system_clock::time_point now;
};
Rollout rollout_of(const RolloutInput& input);

// Of a pod's object, what rollout_of() reads.
void trim_pod(boost::json::object& pod);

struct StatusInput {
  const boost::json::object& function;              // the object
  const spec::FunctionConfig& config;               // enriched
  const boost::json::object* deployment = nullptr;  // null when it is not there yet
  const boost::json::object* service = nullptr;
  const Rollout& rollout;
  bool scaled_to_zero = false;  // it is meant to have no replicas for now, and to get some when it is called
  std::span<const std::string> external_addresses;
  std::vector<std::string> ingress_urls;
  std::map<std::string, std::string> node_selector;
  std::optional<CronComplaint> cron_complaint = {};
  std::chrono::system_clock::time_point now;
};
// The whole status as it should be: equal to what is there when nothing is to be written.
boost::json::object status_of(const StatusInput& input);

// Why a function is an error: its Ready condition's reason when the API server will have none of its objects.
inline constexpr std::string_view kRefused = "Refused";

// The status of a function that has code and no image of it, until a dashboard makes one. `lost`: one that made it, and
// is not heard of any more; "" for none.
boost::json::object image_wanted(const boost::json::object& function, std::string_view lost,
                                 std::chrono::system_clock::time_point now);

// The status of a function that cannot be what it says: state error, conditions Ready and Stalled.
boost::json::object invalid_status(const boost::json::object& function, std::string_view reason, std::string message,
                                   std::chrono::system_clock::time_point now);
// Whether its status says already that the API server refuses the objects of its spec as it is now.
bool was_refused(const boost::json::object& function);

}  // namespace nuclio::controller
