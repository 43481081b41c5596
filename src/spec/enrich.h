// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "spec/api_gateway.h"
#include "spec/function.h"

namespace nuclio::spec {

struct PlatformConfig;

inline constexpr std::string_view kDefaultHttpTrigger = "default-http";

// Fills in what the user left out: project label, names and workers of triggers, the missing one of minReplicas and
// maxReplicas, the platform's environment, and the default http trigger. Doing it again changes
// nothing.
FunctionConfig enrich(FunctionConfig config, const PlatformConfig& platform);

enum class Cleanup : bool { no, yes };
enum class KeepSecrets : bool { no, yes };

// A function as another platform can import it: without namespace, resource version, status and (unless kept) the
// triggers' passwords; with the annotations that keep the import from being built. Cleanup::yes also removes
// registries, and the image when the source code is inside.
FunctionConfig exported(FunctionConfig config, KeepSecrets secrets, Cleanup cleanup);

// The name in the spec, the project's label, and a status of one that nobody has looked at yet.
ApiGateway enrich(ApiGateway gateway);
// Without what is one platform's alone.
ApiGateway exported(ApiGateway gateway);

}  // namespace nuclio::spec
