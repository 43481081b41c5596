// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace nuclio {

// A line of standard input without its end: a password or token. A terminal shows `what` before it, on standard error,
// and not what is typed.
std::string read_secret(std::string_view what);

}  // namespace nuclio
