// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "controller/resources/desired.h"

namespace nuclio::controller {

// On which nodes the function's pods may run, beside node_selector().
struct Scheduling {
  boost::json::array tolerations;
  boost::json::object affinity;
};
Scheduling scheduling(const FunctionInput& input);

// Whether the function has a limit of nvidia.com/gpu.
bool has_gpu_limit(const spec::FunctionConfig& config);

}  // namespace nuclio::controller
