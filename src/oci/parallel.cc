// SPDX-License-Identifier: Apache-2.0
#include "oci/parallel.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "loop/group.h"
#include "loop/wait_list.h"

namespace nuclio::oci {
namespace {

struct Work {
  std::vector<Task<Result<void>>> tasks;
  std::size_t next = 0;
  std::size_t runners = 0;
  std::optional<Error> failed;
  WaitList changed;
};

Task<void> run(Work& work) {
  while (work.next < work.tasks.size() && !work.failed) {
    Task<Result<void>> task = std::move(work.tasks[work.next++]);
    auto done = co_await task;
    if (!done && !work.failed) work.failed = std::move(done).error();
  }
  --work.runners;
  work.changed.notify_all();
}

}  // namespace

Task<Result<void>> in_parallel(Loop& loop, std::size_t at_once, std::vector<Task<Result<void>>> tasks) {
  Work work{.tasks = std::move(tasks), .changed = WaitList{loop}};
  work.runners = std::min(std::max<std::size_t>(at_once, 1), work.tasks.size());
  Group group{loop};  // behind `work`, which its tasks borrow: it goes first
  const std::size_t runners = work.runners;
  for (std::size_t i = 0; i < runners; ++i) group.spawn(run(work));
  while (work.runners > 0 && !work.failed) (void)co_await work.changed.wait();
  if (work.failed) co_return fail(std::move(*work.failed));
  co_return Result<void>{};
}

}  // namespace nuclio::oci
