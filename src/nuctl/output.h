// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "nuctl/table.h"

namespace nuclio::nuctl {

// How `get` and `export` print. json and yaml print one object alone, several as a list (json) or as documents (yaml).
enum class Format { text, wide, yaml, json, name };
Result<Format> parse_format(std::string_view word);

// In json, yaml or as names; text and wide are the command's own table.
std::string print_objects(Format format, const std::vector<boost::json::object>& objects, bool one);

}  // namespace nuclio::nuctl
