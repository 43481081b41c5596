// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/layer.h"
#include "oci/layout.h"

namespace nuclio::oci {

// Makes a layer of a tar that others made, plain or compressed: owners, modes, times and order stay as they are there,
// so equal tars give equal layers. The loop goes on meanwhile. Why::invalid: it is damaged, or there is something in it
// that no root file system of ours has (devices, sockets and the like); Why::too_large: it has more than `most`.
Task<Result<Layer>> write_tar_layer(Loop& loop, const Layout& layout, std::string tar, Bytes most);

}  // namespace nuclio::oci
