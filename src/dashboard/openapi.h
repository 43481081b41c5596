// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <span>

#include "dashboard/routes.h"

namespace nuclio::dashboard {

// The calls as an OpenAPI 3.1 document, for whoever generates clients and forms. What a function, project or event is
// comes from the descriptions in src/spec.
boost::json::object openapi(std::span<const Line> lines);

}  // namespace nuclio::dashboard
