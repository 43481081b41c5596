// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string_view>

#include "base/result.h"

namespace nuclio::dashboard {

// The claims of a signed JSON Web Token (RFC 7515, 7519), if one of the keys of a JWK set (RFC 7517) has signed it by
// RS256 or ES256; other algorithms, "none" among them, are none. What the claims demand is for the caller to see.
// Why::invalid for what is no such token, Why::forbidden when no key has signed it, Why::not_found when it names a key
// that is not in the set.
Result<boost::json::object> verified_claims(std::string_view token, const boost::json::value& keys);

}  // namespace nuclio::dashboard
