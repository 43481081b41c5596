// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace nuclio::schema {

// Of a document, JSON or YAML. Larger than any function with its source code in it; smaller than what would hurt.
constexpr Bytes kLargestDocument{8 << 20};
constexpr std::size_t kDeepestDocument = 64;

// "line 3, column 7", both counted from 1.
std::string position(std::size_t line, std::size_t column);
std::string position(std::string_view text, std::size_t offset);

}  // namespace nuclio::schema
