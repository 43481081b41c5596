// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "dashboard/auth/authorizer.h"
#include "http/client.h"
#include "spec/platform_config.h"

namespace nuclio::dashboard {

// An Open Policy Agent, asked as Nuclio asks it: POST {"input": {"resource": "/projects/p/functions/f", "action":
// "update", "ids": [the user, their groups]}}, and for several {"resources": […]}, of which it names those that may be.
// To invoke a function is to update it, there being no word for it. Only the answer true, and only in time, permits.
class OpaAuthorizer final : public Authorizer {
 public:
  // The client outlives it.
  OpaAuthorizer(http::Client& client, spec::OpaConfig config) : client_(client), config_(std::move(config)) {}
  Task<Result<std::vector<bool>>> allows(const Caller& caller, Action action, std::vector<Resource> resources) override;

 private:
  Task<Result<boost::json::value>> ask(std::string path, boost::json::object input);
  http::Client& client_;
  spec::OpaConfig config_;
};

}  // namespace nuclio::dashboard
