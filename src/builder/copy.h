// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio::builder {

struct CopyLimits {
  Bytes total{256u << 20};
  std::size_t files = 20'000;  // and folders and links
  std::size_t depth = 64;
};

// Version control and caches (.git, __pycache__, .nuclio), which are no part of a function's code.
bool is_left_out(std::string_view name);

// Copies a folder's content, but what is left out, into the folder `to`, which exists and is empty. Links are kept as
// links and must stay within `from`; what is neither file, folder nor link is refused. Why::invalid and Why::too_large
// name the entry. Lets the loop go on between files.
Task<Result<void>> copy_folder(Loop& loop, std::string from, std::string to, CopyLimits limits);

// A link must lead to a place within `root`, which is canonical, also when it leads there over other links; then this
// is what it says. Why::invalid otherwise.
Result<std::string> link_within(const std::string& root, const std::string& link);

// Writes a new file, with the folders above it, beneath `folder`; `name` is relative and does not lead out.
Result<void> write_new_file(const std::string& folder, const std::string& name, std::string_view text);

}  // namespace nuclio::builder
