// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <initializer_list>
#include <memory>

#include "loop/descriptor.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio {

// Signals as something to wait for. Blocks them for the whole process, so it is made in main before any thread is, and
// they stay blocked afterwards (a second SIGTERM during shutdown must not kill). Children get a clean mask (see Child).
class Signals {
 public:
  Signals(Loop& loop, std::initializer_list<int> numbers);
  Task<int> next();  // the number

 private:
  Descriptor descriptor_;
  std::unique_ptr<Watch> watch_;
};

// A peer that closes a connection must be an error of that write, not the end of the process. Called first in main.
void ignore_broken_pipes();

}  // namespace nuclio
