// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nuclio::builder {

// Who runs a command within an image.
struct Identity {
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::vector<std::uint32_t> groups;  // further ones
  std::string home = "/";
};

// Finds out who an image's USER is, "", "name" or "uid", with ":group" or not, from its /etc/passwd and /etc/group. A
// number need not be listed there. Why::invalid for a name that is not.
Result<Identity> find_identity(std::string_view user, std::string_view passwd, std::string_view group);

}  // namespace nuclio::builder
