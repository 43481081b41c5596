// SPDX-License-Identifier: Apache-2.0
// How registries write down parts of a blob.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace nuclio::oci {

// Decimal digits and nothing else.
std::optional<std::uint64_t> parse_number(std::string_view text);

// Where the body of a 206 begins: "bytes 100-199/200" gives 100.
std::optional<std::uint64_t> range_begin(std::string_view content_range);

// How many bytes an upload has come to: "0-99" (or "bytes=0-99") gives 100. "0-0" gives 0, since registries say so of
// an upload that has nothing yet; one of a single byte begins again.
std::optional<std::uint64_t> range_received(std::string_view range);

}  // namespace nuclio::oci
