// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "processor/trigger.h"
#include "processor/triggers/context.h"
#include "spec/trigger.h"

namespace nuclio::processor {

// A trigger of the kind that the spec names, not started yet. `config` is borrowed for the trigger's life. Why::invalid
// when its attributes make no sense, Why::precondition for a kind that this build does not have; both name the trigger.
Result<std::unique_ptr<Trigger>> make_trigger(const spec::Trigger& config, TriggerContext context);

}  // namespace nuclio::processor
