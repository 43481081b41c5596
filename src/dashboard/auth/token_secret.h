// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/named.h"
#include "dashboard/auth/token.h"
#include "k8s/api.h"
#include "loop/deadline.h"

namespace nuclio::dashboard {

// Tokens in the Secret nuclio-dashboard-tokens, which all dashboards of a namespace share, a key for each. What it says
// is remembered for 5 seconds: so long may another dashboard's revocation take to be heard of. Lives on its loop's
// thread; `api` outlives it.
class TokenSecret final : public TokenStore {
 public:
  TokenSecret(k8s::Api& api, Namespace name_space) : api_(api), name_space_(std::move(name_space)) {}
  Task<Result<std::optional<Token>>> find(std::string id) override;
  Task<Result<std::vector<Token>>> all() override;
  Task<Result<void>> add(Token token) override;
  Task<Result<void>> remove(std::string id) override;

 private:
  Task<Result<void>> read();
  Task<Result<void>> change(boost::json::object data);
  k8s::Api& api_;
  Namespace name_space_;
  std::vector<Token> known_;
  Deadline known_until_ = Deadline::in(std::chrono::nanoseconds{0});
};

}  // namespace nuclio::dashboard
