// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "base/result.h"

namespace nuclio::http {

// The HTTP status of an error; the one place that says so.
int status_of(Why why);
// The other way round, for a client that got `status` (>= 400) from a server.
Why why_of(int status);
// "Not Found"; "Unknown" for a status without a phrase of its own.
std::string_view reason_phrase(int status);

}  // namespace nuclio::http
