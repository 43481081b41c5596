// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "dashboard/metrics/point.h"
#include "dashboard/metrics/trigger_point.h"

namespace nuclio::dashboard {

// What a processor has counted since its start: its triggers together, and each of them.
struct Counted {
  Point all;
  TriggerPoints triggers = {};
};

// From its metrics in Prometheus' text format. What is not understood is passed over: other versions of it say more, or
// less. Not `known` when nothing was.
Counted read_exposition(std::string_view text);

// What has happened in between. One that has counted less than before has begun anew.
Point since(const Point& before, const Point& now);
Counted since(const Counted& before, const Counted& now);
// Of two replicas at the same time.
void add_beside(TriggerPoints& sum, const TriggerPoints& other);

}  // namespace nuclio::dashboard
