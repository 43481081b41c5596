// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>
#include <string_view>

namespace nuclio::schema {

// What a YAML scalar without quotes means: null, a boolean, a number, or the text that it is. The rules are those of
// Go's reader, except that yes, no, on and off stay text here; where a boolean is expected the struct reader takes
// them.
boost::json::value plain_scalar(std::string_view text);

// Whether the text may stand without quotes and comes back as the same text, from this reader and from others.
bool is_plain_text(std::string_view text);

}  // namespace nuclio::schema
