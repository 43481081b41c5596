// SPDX-License-Identifier: Apache-2.0
// Who may do what to what.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/named.h"
#include "base/result.h"
#include "dashboard/auth/caller.h"
#include "loop/task.h"

namespace nuclio::dashboard {

// `redeploy` is an update that starts or stops what there is, which policies may tell from one that brings new code.
enum class Action { read, create, update, redeploy, remove, invoke };
enum class Kind { function, function_event, project, api_gateway };

struct Resource {
  Kind kind = Kind::function;
  Namespace name_space;
  std::string project;   // whose it is, or that it is; "" when nobody knows, which only a grant for all projects covers
  std::string name;      // "" for a project
  std::string function;  // of an event: whose it is
};

// "function \"hello\" of project \"default\"", for messages and the audit log.
std::string text(const Resource& resource);
std::string_view text(Action action);

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  // One answer for each resource, in their order. An error is that nobody could be asked, which is no permission.
  virtual Task<Result<std::vector<bool>>> allows(const Caller& caller, Action action,
                                                 std::vector<Resource> resources) = 0;
};

// What the grants say; without them, nothing.
bool granted(std::span<const Grant> grants, Action action, const Resource& resource);

// By the callers' grants.
class RoleAuthorizer final : public Authorizer {
 public:
  Task<Result<std::vector<bool>>> allows(const Caller& caller, Action action, std::vector<Resource> resources) override;
};

// All that counts for a caller: the authorizer, or the grants alone, and the scope of a token.
Task<Result<std::vector<bool>>> allowed(Authorizer& authorizer, const Caller& caller, Action action,
                                        std::vector<Resource> resources);

}  // namespace nuclio::dashboard
