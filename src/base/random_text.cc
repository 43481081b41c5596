// SPDX-License-Identifier: Apache-2.0
#include "base/random_text.h"

#include <random>
#include <string_view>

namespace nuclio {

std::string random_text(std::size_t length) {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::uniform_int_distribution<std::size_t> any{0, kLetters.size() - 1};
  std::string out;
  while (out.size() < length) out += kLetters[any(random)];
  return out;
}

}  // namespace nuclio
