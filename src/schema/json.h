// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nuclio::schema {

// One JSON document. Why::invalid names line and column; Why::too_large when the text is over 8 MiB.
Result<boost::json::value> parse_json(std::string_view text);

// Two spaces an indentation level, keys in their order, ends in a line break.
std::string to_pretty_json(const boost::json::value& value);

}  // namespace nuclio::schema
