// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nuclio {

// Says what was found and where, then aborts. For what we ourselves got wrong; a supervisor starts the process again.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) [[unlikely]]                            \
      ::nuclio::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)

}  // namespace nuclio
