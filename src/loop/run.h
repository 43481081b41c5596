// SPDX-License-Identifier: Apache-2.0
// The borders between coroutines and code that is none, and a deadline for any task.
#pragma once
#include <optional>

#include "loop/group.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace nuclio {

namespace detail {
template <class T>
Task<void> keep(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await task);
}
template <class T>
Task<void> keep_and_stop(Task<T> task, std::optional<T>& result, Loop& loop) {
  result.emplace(co_await task);
  loop.stop();
}
}  // namespace detail

// Runs the loop until the task is done: what a program's main and a test do.
template <class T>
T run_until_done(Loop& loop, Task<T> task) {
  std::optional<T> result;
  Group group{loop};
  group.spawn(detail::keep_and_stop(std::move(task), result, loop));
  if (!result) loop.run();
  return std::move(*result);
}

// The task's result, or nothing when the deadline came first: then the task is cancelled.
template <class T>
Task<std::optional<T>> within(Loop& loop, Deadline deadline, Task<T> task) {
  std::optional<T> result;
  Group group{loop};
  group.spawn(detail::keep(std::move(task), result));
  (void)co_await group.empty(deadline);
  co_return result;
}

}  // namespace nuclio
