// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "controller/resources/desired.h"

namespace nuclio::controller {

// The processor's configuration, as it stands in the ConfigMap: without what only says how many pods there are and what
// their images are made of, so that scaling a function does not change it.
std::string processor_yaml(const FunctionInput& input);

// spec.template of the Deployment. It depends on nothing that changes while a function is scaled.
boost::json::object pod_template(const FunctionInput& input);

// Names of the function's volumes that pods do not get, since Pod Security "restricted" forbids them: hostPath.
std::vector<std::string> left_out_volumes(const spec::FunctionConfig& config);

inline constexpr std::string_view kSecretFolder = "/etc/nuclio/secrets";

}  // namespace nuclio::controller
