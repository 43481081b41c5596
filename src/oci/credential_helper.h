// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/docker_config.h"

namespace nuclio::oci {

// Asks docker-credential-NAME for the login of a registry; nothing when it knows none. It is run with `environment`
// ("NAME=value") and no shell, gets the registry by its standard input, and may take until the deadline, or ten
// seconds, and answer 64 KiB. Its words are never repeated, since they may be the secret. Why::invalid: a name with
// other than letters, digits, "-", "_" and "."; Why::not_found: there is no such program; Why::unavailable: it failed.
Task<Result<std::optional<Login>>> ask_credential_helper(Loop& loop, std::string name, std::string registry,
                                                         std::vector<std::string> environment, Deadline deadline);

}  // namespace nuclio::oci
