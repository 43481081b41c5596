// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nuclio::schema {

// One YAML document as JSON. Anchors, merge keys and numbers mean what they mean to Go's reader. Why::invalid names
// line and column; Why::too_large when the text is over 8 MiB, is nested deeper than 64, or grows through aliases
// beyond 200 000 values or 64 MiB. The empty text is null.
Result<boost::json::value> parse_yaml(std::string_view text);

// Block style, keys in their order, ends in a line break; parse_yaml() gives the same value back.
std::string to_yaml(const boost::json::value& value);

}  // namespace nuclio::schema
