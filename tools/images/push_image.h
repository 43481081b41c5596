// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "base/image_reference.h"
#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/keychain.h"
#include "oci/registry.h"

namespace nuclio::images {

struct Target {
  ImageReference image;  // whose tag does not count: the layout has the tags
  oci::PlainHttp plain_http = oci::PlainHttp::no;
};

// Whether images may be pushed there: asked before the minutes that making them takes.
Task<Result<void>> check_target(Loop& loop, const oci::Keychain& keychain, Target target);

// Pushes the image of a layout under each of its tags, and the SPDX document beside it; prints a line for each.
Task<Result<void>> push_layout(Loop& loop, const oci::Keychain& keychain, std::string folder, std::string document,
                               Target target);

}  // namespace nuclio::images
