// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/result.h"

namespace nuclio::dashboard {

// What may stand for a password in a file: bcrypt ($2a$, $2b$, $2y$), as `htpasswd -nB` and `dashboard hash-password`
// write it.
Result<void> check_password_hash(const std::string& hash);

// Takes tens of milliseconds of a core, which is its point: not for the thread that serves. Any thread.
bool is_password(const std::string& password, const std::string& hash);

// Why::invalid for an empty password, and for one of more than the 72 bytes that bcrypt looks at. As slow as the above.
Result<std::string> hash_password(const std::string& password);

}  // namespace nuclio::dashboard
