// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "loop/deadline.h"
#include "loop/task.h"

namespace nuclio::processor {

// A source of events. Made stopped by make_trigger() (triggers/make.h); lives on its loop's thread; every event it has
// goes through EventHandler::handle().
class Trigger {
 public:
  virtual ~Trigger() = default;
  virtual const std::string& name() const = 0;
  virtual std::string_view kind() const = 0;

  // Begins to produce events. An error (a port in use, a broker's refusal) says what and where.
  virtual Task<Result<void>> start() = 0;
  // Returns once it takes no new events; what goes on taking some until the deadline, as a listener may while load
  // balancers learn that it goes, ends with it. Fine for what never started.
  virtual Task<void> stop_accepting(Deadline deadline) = 0;
  // Afterwards: finishes and settles the events that it has, and returns; at the deadline it drops them.
  virtual Task<void> drain(Deadline deadline) = 0;

  // Where it listens since start(), with the port that the kernel chose: "127.0.0.1:8080", ":8080"; "" when it does
  // not.
  virtual std::string address() const = 0;
};

}  // namespace nuclio::processor
