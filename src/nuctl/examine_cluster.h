// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "loop/task.h"
#include "nuctl/findings.h"
#include "nuctl/session.h"

namespace nuclio::nuctl {

// What `nuctl doctor` says of the cluster that nuctl would work on. `pulled` is an image that a node is to pull,
// nothing for none: a pod of it is made for that, which is gone afterwards.
Task<void> examine_cluster(Session& session, Findings& findings, std::optional<std::string> pulled);

}  // namespace nuclio::nuctl
