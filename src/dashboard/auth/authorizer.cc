// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/authorizer.h"

#include <algorithm>

#include "base/check.h"

namespace nuclio::dashboard {
namespace {

// The least role that may.
Role needed(Action action, Kind kind) {
  if (action == Action::read) return Role::viewer;
  return kind == Kind::project ? Role::admin : Role::developer;
}

bool covers(const std::string& granted, const std::string& asked) { return granted == "*" || granted == asked; }

}  // namespace

std::string_view text(Action action) {
  switch (action) {
    case Action::read: return "read";
    case Action::create: return "create";
    case Action::update: return "update";
    case Action::redeploy: return "redeploy";
    case Action::remove: return "delete";
    case Action::invoke: return "invoke";
  }
  return "";
}

std::string text(const Resource& resource) {
  if (resource.kind == Kind::project) return "project \"" + resource.project + "\"";
  std::string out = resource.kind == Kind::function         ? "function \""
                    : resource.kind == Kind::function_event ? "function event \""
                                                            : "API gateway \"";
  out += resource.name + "\"";
  if (!resource.project.empty()) out += " of project \"" + resource.project + "\"";
  return out;
}

bool granted(std::span<const Grant> grants, Action action, const Resource& resource) {
  return std::ranges::any_of(grants, [&](const Grant& grant) {
    return grant.role >= needed(action, resource.kind) && covers(grant.project, resource.project) &&
           covers(grant.name_space, resource.name_space.value());
  });
}

Task<Result<std::vector<bool>>> RoleAuthorizer::allows(const Caller& caller, Action action,
                                                       std::vector<Resource> resources) {
  std::vector<bool> out;
  out.reserve(resources.size());
  for (const Resource& each : resources) out.push_back(granted(caller.grants, action, each));
  co_return out;
}

Task<Result<std::vector<bool>>> allowed(Authorizer& authorizer, const Caller& caller, Action action,
                                        std::vector<Resource> resources) {
  RoleAuthorizer by_grants;
  Authorizer& asked = caller.by_grants_alone ? by_grants : authorizer;
  std::vector<bool> in_scope(resources.size(), true);
  if (caller.scope)
    for (std::size_t i = 0; i < resources.size(); ++i) in_scope[i] = granted(*caller.scope, action, resources[i]);
  // A question whose answer cannot matter is not asked.
  if (std::ranges::none_of(in_scope, [](bool each) { return each; })) co_return in_scope;
  CO_TRY(std::vector<bool> out, co_await asked.allows(caller, action, std::move(resources)));
  CHECK(out.size() == in_scope.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = out[i] && in_scope[i];
  co_return out;
}

}  // namespace nuclio::dashboard
