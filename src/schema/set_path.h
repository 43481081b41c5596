// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>
#include <string_view>

#include "base/result.h"
#include "schema/type.h"

namespace nuclio::schema {

// Puts a value into the JSON of a described struct: set_path(root, type, "spec.minReplicas", "2"). Steps are separated
// by dots; [0] and .0 are list elements (the next one appends), ["nuclio.io/x"] is a key with dots. Where the type
// wants text the value is taken as it is, elsewhere as YAML, so lists and objects can be given: [a, b] or {a: 1}. The
// value is not checked, reading `root` does that. Why::invalid when there is no such field.
Result<void> set_path(boost::json::value& root, const Type& type, std::string_view path, std::string_view text);

}  // namespace nuclio::schema
