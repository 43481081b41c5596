// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <vector>

#include "schema/type.h"

namespace nuclio::schema {

// A warning for each field that is set, though it acts on another platform only (Meta::only). A reader cannot say so:
// it does not know where what it reads will run.
std::vector<Problem> without_effect(const void* object, const Type& type, std::string_view platform);

}  // namespace nuclio::schema
