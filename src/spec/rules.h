// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "schema/schema.h"

namespace nuclio::spec {

struct ApiGateway;
struct FunctionConfig;

// What the fields of a function demand of each other: replicas, triggers, forms of names and schedules. It does not ask
// whether what a deploy needs is there, so a file that is yet to be merged with flags passes.
schema::Report check_rules(const FunctionConfig& config);

// The same, and whether the function can be deployed: it has a valid name, a runtime, a handler and code or an image.
// For an enriched function. Gives the warnings; Why::invalid holds all problems, one a line.
Result<std::vector<schema::Problem>> validate(const FunctionConfig& config);

// What the fields of an API gateway demand of each other. Why::invalid holds all problems, one a line.
Result<void> validate(const ApiGateway& gateway);

}  // namespace nuclio::spec
