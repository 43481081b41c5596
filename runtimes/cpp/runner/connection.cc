// SPDX-License-Identifier: Apache-2.0
#include "connection.h"

namespace nuclio::runner {

std::string encode(const nuclio_wire_head& head, std::string_view body, std::uint32_t limit) {
  const std::size_t size = nuclio_wire_head_size(&head, limit);
  if (size == 0) return "";
  std::string bytes(size, '\0');
  nuclio_wire_encode(&head, limit, bytes.data());
  bytes += body;
  bytes.append(nuclio_wire_padding(body.size()), '\0');
  return bytes;
}

}  // namespace nuclio::runner
