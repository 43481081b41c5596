// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dashboard/auth/attempts.h"
#include "dashboard/auth/auth_config.h"
#include "dashboard/auth/caller.h"
#include "dashboard/auth/cluster_reviews.h"
#include "dashboard/auth/token.h"
#include "http/message.h"
#include "loop/loop.h"
#include "loop/loop_thread.h"

namespace nuclio::dashboard {

// Whatever somebody shows that is none of ours, or no more.
using Identified = std::expected<Caller, http::Response>;

// Finds out who calls. Lives on its loop's thread; what it is given outlives it.
class Authenticator {
 public:
  // `reviews` where the kind kubernetes is among them, else null. `https` where we speak it ourselves.
  Authenticator(Loop& loop, AuthKinds kinds, AuthConfig config, TokenStore& tokens, TokenReviews* reviews,
                bool https = false);

  // Whether anybody is asked who they are.
  bool asks() const { return kinds_.any(); }
  const AuthKinds& kinds() const { return kinds_; }
  const AuthConfig& config() const { return config_; }
  TokenStore& tokens() { return tokens_; }

  // By Authorization (Bearer with a token of ours or the cluster's; Basic with a password, or a token of ours in its
  // place) or the session's cookie. With a cookie, a call that changes something must have the header X-Nuclio-Csrf,
  // whatever its value: no page from elsewhere can make a browser send it.
  Task<Identified> identify(const http::Request& request);

  // The user who has that password. 429 when there were too many failures.
  Task<Identified> check_password(std::string user, std::string password, std::string_view remote_address);
  // Whose it is: a token of ours, or the cluster's.
  Task<Identified> check_token(std::string token);

  // Whether the browser came by HTTPS, to us or to the proxy in front of us.
  bool came_by_https(const http::Request& request) const;
  // Keeps the caller logged in: the text of the cookie. `secure` where the browser came by HTTPS.
  Task<Result<std::string>> begin_session(const Caller& caller, bool secure);
  // Forgets the session, and gives the cookie that makes the browser forget it.
  Task<Result<std::string>> end_session(const Caller& caller, bool secure);

  // The caller that an OpenID provider has told of.
  Caller known_by_provider(std::string user, std::vector<std::string> groups) const;

 private:
  Identified caller_of(const Token& token) const;
  Task<bool> compare(std::string user, std::string password, std::string hash);

  Loop& loop_;
  AuthKinds kinds_;
  AuthConfig config_;
  TokenStore& tokens_;
  TokenReviews* reviews_;
  bool https_;
  Attempts attempts_;
  Remembered<bool> passwords_{std::chrono::seconds{60}};  // by a hash of user and password
  std::string salt_;                                      // of those hashes
  int comparing_ = 0;
  LoopThread thread_{"passwords"};
};

constexpr std::string_view kSessionCookie = "nuclio_session";
// The value of a cookie; "" when there is none.
std::string_view cookie_in(const http::Request& request, std::string_view name);
// {"error": …} with a status that has no Why.
http::Response refusal(int status, std::string what);

}  // namespace nuclio::dashboard
