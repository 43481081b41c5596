// SPDX-License-Identifier: Apache-2.0
#include "processor/event_id.h"

#include <sys/random.h>

#include <bit>
#include <cstring>

#include "base/check.h"

namespace nuclio::processor {
namespace {

// "00" to "ff".
constexpr auto kBytes = [] {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> bytes{};
  for (std::size_t byte = 0; byte < bytes.size(); ++byte) bytes[byte] = {kDigits[byte >> 4], kDigits[byte & 15]};
  return bytes;
}();

}  // namespace

EventIds::EventIds() { CHECK(getrandom(state_.data(), sizeof state_, 0) == sizeof state_); }

// xoshiro256** of Blackman and Vigna.
std::uint64_t EventIds::random() {
  std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

EventIds::Text EventIds::next() {
  std::uint64_t high = (random() & ~std::uint64_t{0xf000}) | 0x4000;          // version 4
  std::uint64_t low = (random() & ~(std::uint64_t{3} << 62)) | (1ULL << 63);  // variant of RFC 9562
  Text text;
  char* at = text.data();
  auto write = [&](std::uint64_t half, int first_byte, int bytes) {
    for (int byte = first_byte; byte < first_byte + bytes; ++byte, at += 2)
      std::memcpy(at, kBytes[half >> (56 - 8 * byte) & 0xff].data(), 2);
  };
  write(high, 0, 4);
  *at++ = '-';
  write(high, 4, 2);
  *at++ = '-';
  write(high, 6, 2);
  *at++ = '-';
  write(low, 0, 2);
  *at++ = '-';
  write(low, 2, 6);
  return text;
}

}  // namespace nuclio::processor
