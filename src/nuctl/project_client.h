// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/task.h"
#include "nuctl/session.h"

namespace nuclio::nuctl {

// The projects of the namespace by name, or the one named: an empty list when there is none.
Task<Result<std::vector<boost::json::object>>> list_projects(Session& session, std::string name);
Task<Result<void>> create_project(Session& session, boost::json::object project);
// `strategy` as the REST API takes it: restricted, cascading, check.
Task<Result<void>> delete_project(Session& session, std::string name, std::string strategy);
// A project with all that is in it, as `import` takes it.
Task<Result<boost::json::object>> export_project(Session& session, std::string name);

}  // namespace nuclio::nuctl
