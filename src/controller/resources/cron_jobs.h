// SPDX-License-Identifier: Apache-2.0
// Who fires cron triggers: the processor, of which each replica has one, or a CronJob, of which there is one for all.
#pragma once
#include <optional>
#include <string>

#include "spec/function.h"
#include "spec/platform_config.h"

namespace nuclio::controller {

// Whether a CronJob fires it, and not the processor. So it is with cronTriggerCreationMode kube, and where there may be
// several replicas; except for what a CronJob cannot do. How many replicas there are within the bounds that the
// function gives does not matter.
bool is_cron_job(const spec::FunctionSpec& function, const spec::PlatformConfig& platform,
                 const spec::CronTrigger& cron);

// What fires otherwise than it says.
struct CronComplaint {
  std::string reason;   // one UpperCamelCase word
  std::string message;  // for people: which trigger, how it fires, why, and what to do; a line each
};
std::optional<CronComplaint> cron_complaint(const spec::FunctionConfig& config, const spec::PlatformConfig& platform);

}  // namespace nuclio::controller
