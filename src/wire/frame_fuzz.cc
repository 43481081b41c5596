// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/from_worker.h"

namespace {

// Reads every byte that an accessor hands out, so that a view beyond the frame is seen by the sanitizer.
std::size_t touch(std::string_view text) {
  std::size_t sum = 0;
  for (char c : text) sum += static_cast<unsigned char>(c);
  return sum;
}

std::size_t touch(const nuclio::wire::FrameView& frame) {
  std::size_t sum = touch(frame.body());
  for (std::size_t i = 0; i <= frame.number_count(); ++i) sum += static_cast<std::size_t>(frame.number(i));
  for (std::size_t i = 0; i <= frame.string_count(); ++i) sum += touch(frame.string(i));
  for (std::size_t i = 0; i <= frame.header_count(); ++i)
    sum += touch(frame.header(i).name) + touch(frame.header(i).value);
  for (std::size_t i = 0; i <= frame.field_count(); ++i)
    sum += touch(frame.field(i).name) + touch(frame.field(i).value);
  for (const auto& inner : frame.inner()) sum += touch(inner);
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto frame = nuclio::wire::FrameView::decode({reinterpret_cast<const char*>(data), size});
  if (!frame) return 0;
  volatile std::size_t sum = touch(*frame);
  (void)sum;
  (void)nuclio::wire::from_worker(*frame);
  return 0;
}
