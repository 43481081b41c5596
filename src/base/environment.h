// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace nuclio {

// The value of a variable in an environment of "NAME=value", the first one when it has several; "" when it has none.
inline std::string variable(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string& each : environment)
    if (each.size() > name.size() && each[name.size()] == '=' && each.starts_with(name))
      return each.substr(name.size() + 1);
  return {};
}

}  // namespace nuclio
