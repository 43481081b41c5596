// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>

#include "schema/type.h"

namespace nuclio::schema {

// The schema of a type as a CustomResourceDefinition has it: structural OpenAPI v3. It is there to explain and to catch
// what no reader could make sense of, so it refuses less than read() does: unknown members are kept, there are no
// limits and no required members, what depends on a tag is any object, and null is taken where Go programs write it for
// what is not there (lists, maps, objects, optional values). It has no defaults, which the API server would write into
// objects.
boost::json::object openapi_schema(const Type& type);

}  // namespace nuclio::schema
