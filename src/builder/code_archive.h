// SPDX-License-Identifier: Apache-2.0
// Archives of code, which strangers may have packed.
#pragma once
#include <string>

#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/unpack.h"

namespace nuclio::builder {

// Whether a file begins like an archive that unpack_code() takes.
bool is_archive(const std::string& file);

// Unpacks a zip, or a tar, however it is compressed, into the folder `to`, which exists. Nothing outside of it is
// touched; Why::invalid and Why::too_large as oci::Unpacker says.
Task<Result<void>> unpack_code(Loop& loop, std::string archive, std::string to, oci::UnpackLimits limits);

enum class InOnlyFolder : bool { no, yes };

// The folder within `root` that is the function's: the only one in it, where so is asked, and in that `work_dir`. All
// links in it lead to places within it, and all files can be read. Why::invalid when there is no such folder or a link
// leads out.
Result<std::string> code_folder(const std::string& root, InOnlyFolder only, const std::string& work_dir);

}  // namespace nuclio::builder
