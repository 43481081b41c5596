// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "k8s/api.h"
#include "loop/loop.h"

namespace nuclio::nuctl {

// The cluster that `nuctl doctor` looks at. Borrows both.
struct Examined {
  Loop& loop;
  k8s::Api& api;
  std::string name_space;
};

}  // namespace nuclio::nuctl
