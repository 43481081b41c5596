// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/named.h"

namespace nuclio::processor {

using WorkerIndex = Named<struct WorkerIndexTag, int>;  // from 0, within its pool

// Whose events a worker gets: what the function sees as trigger_kind and trigger_name of its context.
struct WorkerIdentity {
  WorkerIndex index{0};
  std::string trigger_kind;
  std::string trigger_name;
};

}  // namespace nuclio::processor
