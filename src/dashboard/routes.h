// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "dashboard/api/context.h"
#include "http/router.h"

namespace nuclio::dashboard {

// Every call of the REST API. `context` is borrowed for the routes' life.
std::vector<http::Route> api_routes(Context& context);

}  // namespace nuclio::dashboard
