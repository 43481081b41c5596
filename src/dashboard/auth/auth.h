// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "dashboard/auth/audit_log.h"
#include "dashboard/auth/auth_config.h"
#include "dashboard/auth/authenticator.h"
#include "dashboard/auth/authorizer.h"
#include "dashboard/auth/oidc.h"
#include "dashboard/auth/token.h"
#include "http/client.h"
#include "k8s/api.h"
#include "spec/platform_config.h"

namespace nuclio::dashboard {

struct AuthOptions {
  std::string kinds;   // see parse_auth_kinds(); "" for none
  std::string config;  // a file; "" for the defaults
  std::string audit_log;
  bool https = false;  // whether we speak it ourselves
  spec::OpaConfig opa;
};

// All that answers who somebody is and what they may, as one is set up. Lives on its loop's thread; what it is given
// outlives it.
class Auth {
 public:
  // `cluster` is null where there is none. Why::invalid names the file and what is wrong in it.
  static Result<std::unique_ptr<Auth>> open(Loop& loop, http::Client& client, const AuthOptions& options,
                                            std::unique_ptr<TokenStore> tokens, k8s::Api* cluster);

  Authenticator& authenticator() { return *authenticator_; }
  Authorizer& authorizer() { return *authorizer_; }
  OidcLogin* oidc() { return oidc_ ? &*oidc_ : nullptr; }
  AuditLog& audit_log() { return audit_log_; }

 private:
  Auth() = default;
  std::unique_ptr<TokenStore> tokens_;
  std::optional<TokenReviews> reviews_;
  std::optional<Authenticator> authenticator_;
  std::unique_ptr<Authorizer> authorizer_;
  std::optional<OidcLogin> oidc_;
  AuditLog audit_log_;
};

}  // namespace nuclio::dashboard
