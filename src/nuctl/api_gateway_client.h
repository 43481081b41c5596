// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/task.h"
#include "nuctl/session.h"

namespace nuclio::nuctl {

// The API gateways of the namespace by name, of those that lead to one function when it is not "".
Task<Result<std::vector<boost::json::object>>> list_api_gateways(Session& session, std::string function);
// Why::not_found when there is none.
Task<Result<boost::json::object>> get_api_gateway(Session& session, std::string name);
Task<Result<void>> create_api_gateway(Session& session, boost::json::object gateway);
Task<Result<void>> delete_api_gateway(Session& session, std::string name);

}  // namespace nuclio::nuctl
