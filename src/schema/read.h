// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>
#include <string>

#include "base/result.h"
#include "schema/schema.h"
#include "schema/type.h"

namespace nuclio::schema {

// YAML has no quotes around most text, so `value: 8080` in the place of a text means "8080" and `enabled: yes` means
// true; JSON is exact.
enum class Scalars { exact, as_in_yaml };

struct ReadOptions {
  Unknown unknown = Unknown::problem;
  Scalars scalars = Scalars::exact;
  std::string path = {};  // of the value within its document, put before each path that is reported
};

// Fills `out`, an object of the described type, from JSON and reports everything that is wrong at once. Null, and the
// empty text for anything that is not text, mean "not set", as they do for Go programs. Fields with a problem keep
// their default.
Report read_into(const boost::json::value& in, void* out, const Type& type, const ReadOptions& options);

// What a value is, for a message: `the text "two"`, `the number 3.5`, `a list`.
std::string describe_value(const boost::json::value& value);

}  // namespace nuclio::schema
