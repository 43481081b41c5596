// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace nuclio::builder {

// What a function may carry in its spec of a folder. An object of Kubernetes holds it too, and its revisions.
inline constexpr Bytes kMaxInlineFolder{256u << 10};
inline constexpr std::size_t kMaxInlineFiles = 100;

// The files of a folder of code, text by path, without what is left out of code (see is_left_out()). Nothing when a
// copy of names and texts would not be the same code (links, programs), when there is more than the limits, when
// something cannot be read, or when there are hidden files, which are where secrets lie that nobody wants in a function
// that is exported.
std::optional<std::map<std::string, std::string>> inline_folder(const std::filesystem::path& folder);

}  // namespace nuclio::builder
