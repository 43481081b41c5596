// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/kickstart.h"

#include "processor/triggers/made_event.h"

namespace nuclio::processor {

// The function may work on it for long, and is started all the same.
Task<Result<void>> KickstartTrigger::start() {
  run_.spawn(run());
  co_return Result<void>{};
}

Task<void> KickstartTrigger::run() {
  MadeEvent event{config_.event, source_, ids_, clock_.now()};
  co_await send_made(handler_, source_, event);
}

Task<void> KickstartTrigger::drain(Deadline deadline) {
  (void)co_await run_.empty(deadline);
  run_.cancel();
}

}  // namespace nuclio::processor
