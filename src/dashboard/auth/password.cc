// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/password.h"

#include <crypt.h>

#include <memory>

#include "dashboard/auth/secret_text.h"

namespace nuclio::dashboard {
namespace {

constexpr unsigned long kRounds = 11;  // 2^11, as a power of two
constexpr std::size_t kLongest = 72;   // what bcrypt looks at

std::string crypt(const std::string& password, const std::string& setting) {
  // 32 KiB, which are cleared for each use.
  auto data = std::make_unique<crypt_data>();
  const char* out = crypt_r(password.c_str(), setting.c_str(), data.get());
  // A failure token begins with '*', as no hash does.
  return out && out[0] != '*' ? std::string(out) : std::string();
}

}  // namespace

Result<void> check_password_hash(const std::string& hash) {
  const bool bcrypt = hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$");
  if (bcrypt && hash.size() == 60 && crypt_checksalt(hash.c_str()) == CRYPT_SALT_OK) return {};
  return fail(Why::invalid,
              "must be the bcrypt hash of a password, $2b$ and so on, 60 characters: `dashboard hash-password` "
              "makes one");
}

bool is_password(const std::string& password, const std::string& hash) {
  if (password.empty() || password.size() > kLongest || password.find('\0') != std::string::npos) return false;
  return same_secret(crypt(password, hash), hash);
}

Result<std::string> hash_password(const std::string& password) {
  if (password.empty()) return fail(Why::invalid, "the password is empty");
  if (password.size() > kLongest)
    return fail(Why::invalid, "the password has more than " + std::to_string(kLongest) + " bytes");
  if (password.find('\0') != std::string::npos) return fail(Why::invalid, "the password has a zero byte");
  const std::string random = secret_text(16);
  char setting[CRYPT_GENSALT_OUTPUT_SIZE] = {};
  if (!crypt_gensalt_rn("$2b$", kRounds, random.data(), static_cast<int>(random.size()), setting, sizeof setting))
    return fail_errno("making a salt");
  std::string out = crypt(password, setting);
  if (out.empty()) return fail(Why::internal, "this system's crypt() has no bcrypt");
  return out;
}

}  // namespace nuclio::dashboard
