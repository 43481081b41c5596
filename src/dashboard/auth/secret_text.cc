// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/secret_text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/check.h"

namespace nuclio::dashboard {

std::string secret_text(std::size_t length) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  // Bytes from here on would make some letters more frequent than others.
  constexpr unsigned char kLimit = 256 / kLetters.size() * kLetters.size();
  std::string out;
  std::array<unsigned char, 64> bytes{};
  while (out.size() < length) {
    CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
    for (const unsigned char byte : bytes)
      if (byte < kLimit && out.size() < length) out += kLetters[byte % kLetters.size()];
  }
  return out;
}

std::string sha256_bytes(std::string_view text) {
  std::array<unsigned char, 32> sum{};
  unsigned length = 0;
  CHECK(EVP_Digest(text.data(), text.size(), sum.data(), &length, EVP_sha256(), nullptr) == 1);
  return {reinterpret_cast<const char*>(sum.data()), length};
}

std::string sha256_hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char each : sha256_bytes(text)) {
    const auto byte = static_cast<unsigned char>(each);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

bool same_secret(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string base64url(std::string_view bytes) {
  std::string out = encode_base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

}  // namespace nuclio::dashboard
