// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/task.h"
#include "nuctl/session.h"

namespace nuclio::nuctl {

// The saved events of the namespace by name, of one function when it is not "".
Task<Result<std::vector<boost::json::object>>> list_function_events(Session& session, std::string function);
// Why::not_found when there is none.
Task<Result<boost::json::object>> get_function_event(Session& session, std::string name);
Task<Result<void>> create_function_event(Session& session, boost::json::object event);
Task<Result<void>> delete_function_event(Session& session, std::string name);

}  // namespace nuclio::nuctl
