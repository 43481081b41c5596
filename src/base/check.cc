// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace nuclio {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: a promise of this program does not hold: %s\n", file, line, condition);
  std::abort();
}

}  // namespace nuclio
