// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <vector>

namespace nuclio::platform::kube {

// The CustomResourceDefinitions of functions, projects, function events and API gateways, made from the descriptions in
// src/spec. Each kind has two versions of the same schema: v1, which is stored and has its status apart, and v1beta1,
// which is Nuclio's, whose clients write spec and status at once.
std::vector<boost::json::object> crds();

}  // namespace nuclio::platform::kube
