// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/sight.h"

#include <vector>

namespace nuclio::dashboard {

std::optional<bool> Sight::remembered(Kind kind, const platform::ProjectId& project) const {
  const auto found = answers_.find({kind, project});
  if (found == answers_.end() || std::chrono::steady_clock::now() - found->second.when > kRemembered)
    return std::nullopt;
  return found->second.yes;
}

Task<Result<bool>> Sight::sees(Kind kind, platform::ProjectId project) {
  if (const auto known = remembered(kind, project)) co_return *known;
  std::vector<Resource> resources;
  resources.push_back({.kind = kind,
                       .name_space = project.namespace_name,
                       .project = project.name.value(),
                       .name = "",
                       .function = ""});
  CO_TRY(const std::vector<bool> answers, co_await allowed(authorizer_, caller_, Action::read, std::move(resources)));
  answers_[{kind, std::move(project)}] = {answers[0], std::chrono::steady_clock::now()};
  co_return answers[0];
}

}  // namespace nuclio::dashboard
