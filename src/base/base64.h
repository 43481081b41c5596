// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace nuclio {

// The alphabet of RFC 4648 section 4, padded, in one line.
std::string encode_base64(std::string_view bytes);

// Strict: no white space, padding where it belongs, no bits left over; so each sequence of bytes has one text.
// Why::invalid says at which offset the text goes wrong.
Result<std::string> decode_base64(std::string_view text);

}  // namespace nuclio
