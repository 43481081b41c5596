// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>

namespace nuclio::spec {

// A function's JSON from two: `base` is what a file says, `over` what was given explicitly, and it wins. Objects are
// merged key by key, env by the variables' names, triggers by key (a trigger of another kind replaces the old one);
// other lists are replaced. The default http trigger of the base goes when another http trigger comes.
boost::json::value merge_function(const boost::json::value& base, const boost::json::value& over);

}  // namespace nuclio::spec
