// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "base/result.h"
#include "dashboard/auth/authorizer.h"
#include "dashboard/auth/caller.h"
#include "loop/deadline.h"
#include "loop/task.h"
#include "platform/platform.h"

namespace nuclio::dashboard {

// What a caller may see of the projects while something is told to them for long. Asked for each project, and again
// after a while: a right that is taken away counts no longer than that. The authorizer outlives it.
class Sight {
 public:
  static constexpr std::chrono::seconds kRemembered{30};

  Sight(Authorizer& authorizer, Caller caller) : authorizer_(authorizer), caller_(std::move(caller)) {}

  const Caller& caller() const { return caller_; }
  // `kind` project: the project itself; function: functions in it.
  Task<Result<bool>> sees(Kind kind, platform::ProjectId project);
  // What it knows without asking; nothing when it has to.
  std::optional<bool> remembered(Kind kind, const platform::ProjectId& project) const;

 private:
  struct Answer {
    bool yes = false;
    SteadyTime when;
  };
  Authorizer& authorizer_;
  Caller caller_;
  std::map<std::pair<Kind, platform::ProjectId>, Answer> answers_;
};

}  // namespace nuclio::dashboard
