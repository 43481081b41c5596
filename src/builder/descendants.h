// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <optional>

#include "base/result.h"

namespace nuclio::builder {

// What this process has started, and what that has, also where the one in between is gone: from here on this process
// gets its orphans. For where there is no namespace that could be ended as a whole. Has one thread, and no children
// that are somebody else's business.
class Descendants {
 public:
  static Result<Descendants> adopt();

  std::size_t count() const;
  // Kills them all, and those that they start meanwhile. Returns how `child` ended, as waitpid(2) gives it; nothing
  // when it was gone before.
  std::optional<int> end(pid_t child) const;

 private:
  Descendants() = default;
};

}  // namespace nuclio::builder
