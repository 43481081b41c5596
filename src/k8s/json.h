// SPDX-License-Identifier: Apache-2.0
// JSON as API servers write it: larger and deeper than what users may write, which is schema's subject.
#pragma once
#include <boost/json/object.hpp>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace nuclio::k8s {

// Why::unavailable when it is none: whoever said it is no API server, or was cut. The caller bounds its size.
Result<boost::json::value> parse_json(std::string_view text);
// The same of what must be an object.
Result<boost::json::object> parse_object(std::string_view text);

// Members, where one that is missing or of another kind counts as not there: "", 0, null.
std::string_view text_of(const boost::json::object& object, std::string_view key);
std::int64_t number_of(const boost::json::object& object, std::string_view key);
const boost::json::object* object_of(const boost::json::object& object, std::string_view key);
// The member as an object, made when it is not there.
boost::json::object& object_in(boost::json::object& object, std::string_view key);

}  // namespace nuclio::k8s
