// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>

#include "schema/schema.h"

namespace nuclio::spec {

using schema::field;

// How the partitions of a stream share the workers.
enum class WorkerAllocationMode { pool, fixed };
constexpr auto choices(WorkerAllocationMode) {
  using C = schema::Choice<WorkerAllocationMode>;
  return std::array{C{WorkerAllocationMode::pool, "pool"}, C{WorkerAllocationMode::fixed, "static"}};
}

// Where a consumer without a stored position begins.
enum class StartAt { latest, earliest };
constexpr auto choices(StartAt) {
  using C = schema::Choice<StartAt>;
  return std::array{C{StartAt::latest, "latest"}, C{StartAt::earliest, "earliest"}};
}

}  // namespace nuclio::spec
