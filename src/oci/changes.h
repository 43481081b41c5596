// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/layer.h"
#include "oci/sink.h"

namespace nuclio::oci {

struct ChangesOptions {
  LayerOptions layer = {};
  // Told of each thing that has no place in a layer and is left out: sockets, pipes and devices.
  std::function<void(std::string_view name)> left_out;
};

// Writes the upper folder of an overlay file system, which is not mounted any more and which nobody changes, as the tar
// of a layer: what was added or changed with its mode and its owners, as this process sees them, whiteouts for what was
// deleted, opaque folders for those that were replaced. Times are all options.layer.modified, and entries are sorted,
// so that equal changes give equal bytes. Extended attributes are not kept.
// Why::invalid: a name that begins with ".wh."; Why::too_large: the limits.
Task<Result<void>> write_changes(Loop& loop, std::string upper, Sink tar, ChangesOptions options);

}  // namespace nuclio::oci
