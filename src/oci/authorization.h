// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client.h"
#include "http/proxies.h"
#include "http/retry.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "loop/wait_list.h"
#include "oci/challenge.h"
#include "oci/keychain.h"
#include "oci/url.h"

namespace nuclio::oci {

// What a request wants to be allowed.
struct Access {
  enum class Action { pull, push } action = Action::pull;
  std::string repository;  // "" for the registry as a whole
  std::string mount_from;  // another repository to pull from, in the same registry; "" for none
  std::string text() const;
  std::vector<std::string> scopes() const;  // "repository:team/app:pull,push"
};

// Meets a registry's challenges: finds the login, fetches tokens, keeps each until shortly before it expires. Lives on
// its loop's thread; any number of requests use it at once.
class Authorization {
 public:
  // All are borrowed. `home` is the registry's own URL; a token server elsewhere gets the login over TLS only, unless
  // the registry itself is spoken to without, and must not be on this machine, unless the registry is.
  Authorization(Loop& loop, http::Client& client, const Keychain& keychain, std::string registry, Url home,
                std::string authorities, http::Proxies proxies, http::RetryPolicy retry);

  // The Authorization header to send, "" while the registry has not asked for one. Why::forbidden when it asks for a
  // login and there is none, or the token server refuses it: the message says where one was looked for.
  Task<Result<std::string>> header(Access access, Deadline deadline);
  // A 401 to a request that was sent with `sent`. Fine when another attempt makes sense, Why::forbidden otherwise.
  Result<void> refused(const Access& access, std::string_view sent, const http::Headers& answer, std::string says);
  // What a person needs to know of a 401 or 403; `said` are the registry's own words, "" for none.
  Error denied(const Access& access, const std::string& said) const;
  // A text of the registry's, in case it repeats what we showed it.
  std::string without_secrets(std::string text) const;

 private:
  struct Token {
    std::string text;
    SteadyTime good_until{};
    bool fetching = false;
  };
  class Fetching;
  Task<Result<const Login*>> login(const Access& access, Deadline deadline);
  Task<Result<void>> fetch(const Access& access, Token& token, Deadline deadline);
  Result<http::ClientRequest> token_request(const Access& access, const Login* login) const;
  Result<void> read_token(const http::ClientResponse& answer, const Access& access, const Url& server, Token& token);

  Loop& loop_;
  http::Client& client_;
  const Keychain& keychain_;
  std::string registry_;
  Url home_;
  std::string authorities_;
  http::Proxies proxies_;
  http::RetryPolicy retry_;
  std::optional<Challenge> challenge_;
  std::map<std::string, std::optional<Login>> logins_;  // by repository
  std::map<std::string, Token> tokens_;                 // by scopes; never erased, so references last
  WaitList fetched_;
};

}  // namespace nuclio::oci
