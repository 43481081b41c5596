// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace nuclio::dashboard {

// Letters and digits that nobody can guess, from the kernel's random numbers: about 5.9 bits each.
std::string secret_text(std::size_t length);

// 64 small hex digits: what is kept of a secret that is long enough not to be guessed.
std::string sha256_hex(std::string_view text);
std::string sha256_bytes(std::string_view text);

// In a time that does not tell how much of them is equal.
bool same_secret(std::string_view left, std::string_view right);

// Base64 with '-' and '_', without '=' (RFC 4648 §5), as JSON Web Tokens and PKCE have it.
std::string base64url(std::string_view bytes);

}  // namespace nuclio::dashboard
