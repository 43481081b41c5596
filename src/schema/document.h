// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/value.hpp>
#include <string_view>

#include "base/result.h"
#include "schema/read.h"

namespace nuclio::schema {

struct Document {
  boost::json::value value;
  Scalars scalars;
};

// A file that may be JSON or YAML: JSON when it begins with '{' or '[' and is valid JSON, YAML otherwise. Limits and
// errors are those of parse_json() and parse_yaml().
Result<Document> parse_document(std::string_view text);

}  // namespace nuclio::schema
