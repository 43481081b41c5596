// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loop/descriptor.h"
#include "loop/group.h"
#include "platform/demands.h"
#include "platform/process/leftover.h"
#include "platform/process/process_platform.h"

namespace nuclio::platform::process {

// One function in the platform's hands.
struct ProcessPlatform::Managed {
  Managed(Loop& loop, StoredFunction stored, std::function<void()> health_changed)
      : stored(std::move(stored)), supervisor(loop, std::move(health_changed)), work(loop) {}

  spec::FunctionStatus& status() { return stored.config.status; }

  StoredFunction stored;
  Descriptor socket;  // where its http trigger listens while it is to run
  Supervisor supervisor;
  Result<void> outcome;        // of what was done to it last
  bool being_deleted = false;  // nobody else may touch it any more
  // Its processes of before a crash of the platform: while there are some, nothing of it is started.
  std::vector<std::unique_ptr<Leftover>> leftovers;
  bool resuming = false;
  Group work;  // what is being done to it, one thing at a time; after what it uses
};

inline constexpr std::string_view kOldVersionServes = "\nThe version that was deployed before goes on serving.";

// Where code that was fetched lies until it is built, in the folder of its revision.
std::string fetched_code(const std::string& revision_folder);
// The state of a function whose deploy went well.
spec::FunctionState good_state(const spec::FunctionSpec& spec);
// The port that a socket is bound to.
Result<int> port_of(int socket);

}  // namespace nuclio::platform::process
