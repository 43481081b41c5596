// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/fwd.hpp>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace nuclio::spec {

// The function.yaml that stands in the comments of a source file: after a line `# @nuclio.configure`, commented YAML
// with the key `function.yaml`, up to the first line that is no comment. `comment_sign` is "#" or "//". Nothing when
// the file has no such block; Why::invalid with the line of the source file when it cannot be read. The value is to be
// read with Scalars::as_in_yaml.
Result<std::optional<boost::json::value>> find_inline_config(std::string_view source, std::string_view comment_sign);

}  // namespace nuclio::spec
