// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

namespace nuclio::spec {

// Whether the text is an image reference as docker reads it: [registry[:port]/]path[:tag][@digest]. A registry alone,
// such as registry.local:5000 or localhost:5000/team, has this form too.
bool is_image_reference(std::string_view text);

}  // namespace nuclio::spec
