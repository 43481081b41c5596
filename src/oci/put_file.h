// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/tar_writer.h"

namespace nuclio::oci {

// Puts a file of this machine into a tar as `entry`, whose size it must have, piece by piece; the loop goes on
// meanwhile. Everything is borrowed until the task is done. Why::conflict when the file changed since its size was
// taken.
Task<Result<void>> put_file(Loop& loop, TarWriter& tar, const TarEntry& entry, const std::string& path);

}  // namespace nuclio::oci
