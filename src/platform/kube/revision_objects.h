// SPDX-License-Identifier: Apache-2.0
// The revisions of functions on Kubernetes: ControllerRevision objects, which go with their function. The controller
// writes them, since functions are applied with kubectl as well; the dashboard reads them. Pure functions.
#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/informer.h"
#include "platform/platform.h"
#include "spec/function.h"

namespace nuclio::platform::kube {

// Says what the revision's spec is, without it: who only has to know whether it is another need not keep it.
inline constexpr std::string_view kSpecHash = "nuclio.io/spec-hash";

// Of a function as the API server gave it. Other replicas make no other revision: autoscalers would make one each time.
std::string spec_hash(const boost::json::object& function);

// What the names of a function's revisions begin with, and other functions' revisions may as well.
k8s::ObjectName revision_prefix(const k8s::ObjectName& function);
// The function as it is now, to be its revision of that number.
boost::json::object revision_object(const boost::json::object& function, Revision number);
Revision number_of(const boost::json::object& revision);
// The function that it is of, without status. Why::invalid when it holds none.
Result<spec::FunctionConfig> function_in(const boost::json::object& revision);

// Whether the function with this uid owns it.
bool is_of(const boost::json::object& revision, std::string_view uid);
// What each is to the function as it is now; `revisions` newest first.
std::vector<RevisionSummary> summaries(const boost::json::object& function,
                                       const std::vector<boost::json::object>& revisions);

}  // namespace nuclio::platform::kube
