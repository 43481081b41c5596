// SPDX-License-Identifier: Apache-2.0
// What is generated from a description: a JSON Schema for editors and tools, and a reference page for people.
#pragma once
#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "schema/type.h"

namespace nuclio::schema {

// JSON Schema, draft 2020-12. Secrets are writeOnly, fields that nothing acts on yet say so in their description.
boost::json::value json_schema(const Type& type, std::string_view title);

// A Markdown page: a table a struct, with name, type, default and meaning of each field.
std::string reference_page(const Type& type, std::string_view title, std::string_view introduction);

}  // namespace nuclio::schema
