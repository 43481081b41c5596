// SPDX-License-Identifier: Apache-2.0
// What the platform adds for functions with certain labels: functionAugmentedConfigs.
#pragma once
#include <vector>

#include "spec/function.h"
#include "spec/platform_config.h"

namespace nuclio::controller {

// Those whose selector has the function, in their order.
std::vector<const spec::AugmentedConfig*> augmentations(const spec::FunctionConfig& config,
                                                        const spec::PlatformConfig& platform);

// The function with what they say merged over it; name and namespace stay its own.
spec::FunctionConfig augmented(const spec::FunctionConfig& config, const spec::PlatformConfig& platform);

}  // namespace nuclio::controller
