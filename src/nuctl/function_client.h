// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/named.h"
#include "base/result.h"
#include "loop/task.h"
#include "nuctl/session.h"

namespace nuclio::nuctl {

// The dashboard's calls about functions, as the commands need them. Functions are JSON objects {metadata, spec, status}
// in the shape of the REST API.

// Why::not_found when there is none.
Task<Result<boost::json::object>> get_function(Session& session, std::string name);
// All functions of the namespace, by name; of one project when it is not "".
Task<Result<std::vector<boost::json::object>>> list_functions(Session& session, std::string project);
// Creates or updates it and returns it once it serves. The error of a failed deploy says what to mend.
Task<Result<boost::json::object>> deploy_function(Session& session, boost::json::object config);
enum class WithGateways : bool { no, yes };  // whether API gateways that lead to it go too, or keep it
Task<Result<void>> delete_function(Session& session, std::string name, Force force, WithGateways gateways);
// The names of its running processors.
Task<Result<std::vector<std::string>>> replicas_of(Session& session, std::string name);

// The text at a dotted path, "" when there is none or it is no text.
std::string text_at(const boost::json::object& object, std::string_view path);
// The value at a dotted path, null when there is none.
const boost::json::value* value_at(const boost::json::object& object, std::string_view path);

// "functions/hello" with the name encoded for a URL.
std::string api_path(std::string_view resource, std::string_view name = {});

}  // namespace nuclio::nuctl
