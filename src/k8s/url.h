// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace nuclio::k8s {

// A part of a path, or a value of a query, as it stands in a URL.
std::string encoded(std::string_view text);
// Adds name=value to a path's query; an empty value is left out.
void add_query(std::string& path, std::string_view name, std::string_view value);

}  // namespace nuclio::k8s
