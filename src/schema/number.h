// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>
#include <string>

namespace nuclio::schema {

// A JSON number as people write it and as readers of YAML 1.1 and 1.2 agree on: 3, 1.5, 2.0, 1.0e+20. Boost.JSON would
// write 1.5E0, which some readers of YAML take for text.
std::string number_text(const boost::json::value& number);

}  // namespace nuclio::schema
