// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dashboard/auth/auth_config.h"
#include "http/client.h"
#include "loop/deadline.h"
#include "loop/task.h"

namespace nuclio::dashboard {

// Logs people in at an OpenID provider: the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636).
// Nothing is kept here between the two steps: what the second must know is the browser's cookie. Lives on its loop's
// thread; the client outlives it.
class OidcLogin {
 public:
  OidcLogin(http::Client& client, OidcConfig config, std::string client_secret)
      : client_(client), config_(std::move(config)), client_secret_(std::move(client_secret)) {}

  struct Start {
    std::string url;     // the provider's page, with all that it is to know
    std::string secret;  // for a cookie of the browser's, and the second step
  };
  Task<Result<Start>> start();

  struct User {
    std::string name;
    std::vector<std::string> groups;
  };
  // What the provider's page has sent the browser back with. Why::forbidden when it is not what was asked for, or the
  // provider says no; Why::unavailable when the provider cannot be asked.
  Task<Result<User>> finish(std::string secret, std::string code, std::string state);

 private:
  struct Provider {
    std::string authorization_endpoint, token_endpoint, jwks_uri;
    SteadyTime until;
  };
  Task<Result<Provider>> provider(Deadline deadline);
  Task<Result<boost::json::value>> ask(http::ClientRequest request, Deadline deadline);
  Task<Result<std::string>> id_token(std::string endpoint, std::string code, std::string verifier, Deadline deadline);
  Task<Result<boost::json::object>> claims(std::string token, std::string jwks_uri, Deadline deadline);
  Result<User> user_in(const boost::json::object& claims, std::string_view nonce) const;

  http::Client& client_;
  OidcConfig config_;
  std::string client_secret_;
  std::optional<Provider> provider_;
  std::optional<boost::json::value> keys_;
};

}  // namespace nuclio::dashboard
