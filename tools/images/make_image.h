// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/result.h"
#include "images/recipe.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/digest.h"

namespace nuclio::images {

Result<Recipe> read_recipe(const std::string& path);

// Makes the image that the recipe describes in a layout, which may be there or not, for this machine's platform.
Task<Result<oci::Digest>> make_image(Loop& loop, const Recipe& recipe, std::string folder);

}  // namespace nuclio::images
