// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nuclio/abi.h>

#include <expected>
#include <string>

namespace nuclio::runner {

// Loads a function's shared object and returns its table, which is valid for ever. The error is for the function's
// author: a missing file, a missing library or symbol, an object made for another version of the interface.
std::expected<const nuclio_module_table*, std::string> load_object(const std::string& path);

}  // namespace nuclio::runner
