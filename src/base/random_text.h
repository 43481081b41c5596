// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>

namespace nuclio {

// Small letters and digits, for a part of a name that nobody else is to have by chance. Not for secrets.
std::string random_text(std::size_t length);

}  // namespace nuclio
