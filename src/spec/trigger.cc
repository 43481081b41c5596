// SPDX-License-Identifier: Apache-2.0
#include "spec/trigger.h"

namespace nuclio::spec {

std::string_view kind_name(const Trigger& trigger) {
  return std::visit([](const auto& kind) { return std::decay_t<decltype(kind)>::kKind; }, trigger.kind);
}

std::chrono::milliseconds worker_availability_timeout(const Trigger& trigger) {
  const int milliseconds = trigger.worker_availability_timeout_milliseconds.value_or(-1);
  return milliseconds < 0 ? std::chrono::seconds{10} : std::chrono::milliseconds{milliseconds};
}

}  // namespace nuclio::spec
