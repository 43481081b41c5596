// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>

#include "schema/type.h"

namespace nuclio::schema {

enum class Secrets { shown, masked };

constexpr std::string_view kMask = "********";

// The JSON of an object. Members that have their default are left out, so reading the result gives an equal object.
// With Secrets::masked every secret that is set is kMask instead; such a result is for showing only.
boost::json::value write(const void* object, const Type& type, Secrets secrets);

}  // namespace nuclio::schema
