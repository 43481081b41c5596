// SPDX-License-Identifier: Apache-2.0
#include "processor/event_id.h"

#include <sys/random.h>

#include <bit>

#include "base/check.h"

namespace nuclio::processor {

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
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::uint64_t high = (random() & ~std::uint64_t{0xf000}) | 0x4000;          // version 4
  std::uint64_t low = (random() & ~(std::uint64_t{3} << 62)) | (1ULL << 63);  // variant of RFC 9562
  Text text;
  std::size_t at = 0;
  for (std::uint64_t half : {high, low}) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      if (at == 8 || at == 13 || at == 18 || at == 23) text[at++] = '-';
      text[at++] = kDigits[half >> shift & 15];
    }
  }
  return text;
}

}  // namespace nuclio::processor
