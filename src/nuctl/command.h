// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "loop/task.h"
#include "nuctl/flags.h"

namespace nuclio::nuctl {

class Session;

// One thing that nuctl does. Made for one run: declare() once, then run() once.
class Command {
 public:
  virtual ~Command() = default;
  virtual void declare(Flags& flags) = 0;
  // The exit code, 0 or 1; an error becomes 1 and a message on standard error.
  virtual Task<Result<int>> run(Session& session) = 0;
};

}  // namespace nuclio::nuctl
