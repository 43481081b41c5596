// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "loop/task.h"
#include "nuctl/examined.h"
#include "nuctl/findings.h"

namespace nuclio::nuctl {

// Whether a node can pull the image: has one do it for a pod, in which nothing runs, and deletes the pod again, also
// when we are interrupted.
Task<Finding> probe_pull(Examined& at, std::string image);

}  // namespace nuclio::nuctl
