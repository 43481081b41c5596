// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string_view>

#include "base/result.h"

namespace nuclio::oci {

// Takes bytes piece by piece, in order; after an error nothing more comes.
using Sink = std::function<Result<void>(std::string_view)>;

}  // namespace nuclio::oci
