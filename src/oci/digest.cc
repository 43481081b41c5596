// SPDX-License-Identifier: Apache-2.0
#include "oci/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace nuclio::oci {

Result<Digest> Digest::parse(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() != 71 || !text.starts_with("sha256:") || !std::ranges::all_of(text.substr(7), is_hex))
    return fail(Why::invalid, "a digest must be \"sha256:\" and 64 small hex digits, is \"" +
                                  std::string(text.substr(0, 150)) + "\"");
  return Digest{std::string(text)};
}

Digest Digest::of(std::string_view bytes) {
  Sha256 sum;
  sum.update(bytes);
  return sum.finish();
}

void Sha256::Free::operator()(void* context) const { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  CHECK(context_);
  CHECK(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_.get()), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_.get()), bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_.get()), sum.data(), &size) == 1 && size == 32);
  std::string text = "sha256:";
  for (unsigned i = 0; i < size; ++i) {
    text += "0123456789abcdef"[sum[i] >> 4];
    text += "0123456789abcdef"[sum[i] & 15];
  }
  return Digest{std::move(text)};
}

}  // namespace nuclio::oci
