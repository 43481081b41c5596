// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/result.h"

namespace nuclio::k8s {

// Why::not_found, Why::forbidden, or Why::too_large beyond 8 MiB, naming the file.
Result<std::string> read_file(const std::string& path);

}  // namespace nuclio::k8s
