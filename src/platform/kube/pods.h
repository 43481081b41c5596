// SPDX-License-Identifier: Apache-2.0
// Pods of functions: what is kept of them, and where they are reached, which is asked of pods that were trimmed. Pure
// functions.
#pragma once
#include <boost/json/object.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "k8s/informer.h"

namespace nuclio::platform::kube {

// Leaves of a pod its metadata and what is asked for here; a cluster has thousands. Bears what it has trimmed before.
void trim_pod(boost::json::object& pod);

// Where a pod that runs and is to go on listens at the function's port that is called `port`:
// "10.0.0.7:8080", "[2001:db8::7]:8080". "" when it does not run, is being deleted, or has no such port.
std::string address_of(const boost::json::object& pod, std::string_view port);

// Where a replica of the newest version that is ready answers HTTP; with the next `turn`, where another of them does.
// "" when none is ready. `pods` are those of one function.
std::string address_to_invoke(std::span<const k8s::Object> pods, std::size_t turn);

}  // namespace nuclio::platform::kube
