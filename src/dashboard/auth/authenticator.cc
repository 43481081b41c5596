// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/authenticator.h"

#include <algorithm>

#include "base/base64.h"
#include "base/log.h"
#include "dashboard/auth/password.h"
#include "dashboard/auth/secret_text.h"

namespace nuclio::dashboard {
namespace {

using namespace std::chrono_literals;
using http::Request;
using http::Response;

constexpr int kDeepest = 4;         // tokens that made tokens
constexpr int kMostComparing = 16;  // passwords in line, each for tens of milliseconds
constexpr auto kClusterSession = 1h;
// Somebody's who is not among the users, so that their absence takes as long to find as a wrong password.
const std::string kNobody = "$2b$11$GzRkWdYwVpXcNmQhJtLsO.8Hq1J2l7pKZxkYw9uV3bTnE5rS6aBcW";

std::unexpected<Response> refused(int status, std::string what) {
  return std::unexpected(refusal(status, std::move(what)));
}

std::unexpected<Response> refused(const Error& error) {
  // Whoever cannot be asked permits nothing, and that is not the caller's fault.
  return std::unexpected(Response::error(error));
}

// What stands behind a scheme such as "Bearer", which is in any case.
std::optional<std::string_view> credentials(std::string_view header, std::string_view scheme) {
  if (header.size() <= scheme.size() || header[scheme.size()] != ' ' ||
      !http::same_ignoring_case(header.substr(0, scheme.size()), scheme))
    return {};
  header.remove_prefix(scheme.size());
  while (header.starts_with(' ')) header.remove_prefix(1);
  return header;
}

// The address without the port, which is another with each connection.
std::string_view host_of(std::string_view remote_address) {
  return remote_address.substr(0, remote_address.rfind(':'));
}

bool changes_something(std::string_view method) { return method != "GET" && method != "HEAD" && method != "OPTIONS"; }

Task<bool> compared(std::string password, std::string hash) { co_return is_password(password, hash); }

std::string cookie(std::string_view value, std::chrono::seconds age, bool secure) {
  return std::string(kSessionCookie) + "=" + std::string(value) + "; Path=/; Max-Age=" + std::to_string(age.count()) +
         "; HttpOnly; SameSite=Strict" + (secure ? "; Secure" : "");
}

}  // namespace

Response refusal(int status, std::string what) {
  Response out = Response::error(Error{Why::forbidden, std::move(what)});
  out.status = status;
  // Not Basic, for which browsers would ask in a window of their own.
  if (status == 401) out.headers.set("WWW-Authenticate", "Bearer realm=\"nuclio\"");
  return out;
}

std::string_view cookie_in(const Request& request, std::string_view name) {
  for (const http::Header& header : request.headers) {
    if (!http::same_ignoring_case(header.name, "Cookie")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      std::string_view pair = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
        return pair.substr(name.size() + 1);
    }
  }
  return {};
}

bool Authenticator::came_by_https(const Request& request) const {
  return https_ || http::same_ignoring_case(request.headers.get("X-Forwarded-Proto"), "https");
}

Authenticator::Authenticator(Loop& loop, AuthKinds kinds, AuthConfig config, TokenStore& tokens, TokenReviews* reviews,
                             bool https)
    : loop_(loop),
      kinds_(kinds),
      config_(std::move(config)),
      tokens_(tokens),
      reviews_(reviews),
      https_(https),
      salt_(secret_text(32)) {}

Identified Authenticator::caller_of(const Token& token) const {
  if (token.expires <= wall_now())
    return refused(401, token.kind == TokenKind::session ? "the session has expired; log in again"
                                                         : "the token \"" + token.name + "\" has expired");
  Caller out{.name = token.owner,
             .groups = token.groups,
             .credential = token.kind == TokenKind::session ? Credential::session : Credential::token,
             .known_by = token.known_by,
             .expires = token.expires,
             .token_id = token.id,
             .extra = token.extra};
  if (token.owner.empty()) {
    out.name = "token " + token.name;
    out.grants = token.grants;
    out.by_grants_alone = true;
    return out;
  }
  const bool known_here = (token.known_by == Credential::cluster && kinds_.kubernetes) ||
                          (token.known_by == Credential::oidc && kinds_.oidc);
  if (token.known_by == Credential::password && kinds_.basic) {
    const auto user = std::ranges::find(config_.users, token.owner, &User::name);
    if (user == config_.users.end()) return refused(401, "the user " + token.owner + " is not known any more");
    out.groups = user->groups;
  } else if (!known_here) {
    return refused(401, "the user " + token.owner + " is not known here");
  }
  out.grants = grants_of(config_, out.name, out.groups);
  if (!token.grants.empty()) out.scope = token.grants;
  return out;
}

Task<Identified> Authenticator::check_token(std::string token) {
  const std::string id{token_id(token)};
  if (id.empty()) {
    if (!reviews_) co_return refused(401, "this is no token of this dashboard's");
    auto caller = co_await reviews_->review(std::move(token));
    if (!caller) co_return refused(caller.error());
    if (!*caller) co_return refused(401, "the cluster does not know this token, or no more");
    (*caller)->grants = grants_of(config_, (*caller)->name, (*caller)->groups);
    co_return std::move(**caller);
  }
  auto found = co_await tokens_.find(id);
  if (!found) co_return refused(found.error());
  if (!*found || !proves(token, **found)) co_return refused(401, "this token is not known, or no more");
  // What was made with a token ends with it, and so does what was made with that.
  std::string above = (*found)->made_by;
  for (int depth = 0; !above.empty(); ++depth) {
    auto parent = co_await tokens_.find(above);
    if (!parent) co_return refused(parent.error());
    if (!*parent || depth == kDeepest) co_return refused(401, "the token with which this one was made was revoked");
    above = (*parent)->made_by;
  }
  co_return caller_of(**found);
}

Task<bool> Authenticator::compare(std::string user, std::string password, std::string hash) {
  // The hash is in it, so that a new password counts at once.
  std::string question = sha256_hex(salt_ + user + "\n" + hash + "\n" + password);
  if (passwords_.find(question)) co_return true;
  auto same = co_await thread_.run(
      loop_, [password = std::move(password), hash = std::move(hash)] { return compared(password, hash); },
      Deadline::in(10s));
  if (!same || !*same) co_return false;
  passwords_.add(std::move(question), true);
  co_return true;
}

Task<Identified> Authenticator::check_password(std::string user, std::string password,
                                               std::string_view remote_address) {
  if (!kinds_.basic) co_return refused(401, "nobody logs in with a password here");
  const std::string from{host_of(remote_address)};
  const auto wait = attempts_.wait(user, from, std::chrono::steady_clock::now());
  if (wait > 0s || comparing_ >= kMostComparing) {
    Response response = refusal(
        429, "too many attempts to log in; try again in " + std::to_string(std::max<long>(wait.count(), 1)) + " s");
    response.headers.set("Retry-After", std::to_string(std::max<long>(wait.count(), 1)));
    co_return std::unexpected(std::move(response));
  }
  const auto known = std::ranges::find(config_.users, user, &User::name);
  const bool exists = known != config_.users.end();
  ++comparing_;
  const bool same = co_await compare(user, std::move(password), exists ? known->password_hash : kNobody);
  --comparing_;
  if (!same || !exists) {
    attempts_.failed(user, from, std::chrono::steady_clock::now());
    log::warn("A login failed", {{"user", user.substr(0, 100)}, {"from", from}});
    co_return refused(401, "no user has this name and password");
  }
  attempts_.succeeded(user, from);
  co_return Caller{.name = known->name,
                   .groups = known->groups,
                   .credential = Credential::password,
                   .known_by = Credential::password,
                   .grants = grants_of(config_, known->name, known->groups)};
}

Task<Identified> Authenticator::identify(const Request& request) {
  if (!asks()) co_return anybody();
  const std::string_view header = request.headers.get("Authorization");
  if (const auto token = credentials(header, "Bearer")) co_return co_await check_token(std::string(*token));
  if (const auto basic = credentials(header, "Basic")) {
    const auto pair = decode_base64(*basic);
    const std::size_t colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) co_return refused(401, "the header Authorization is no name and password");
    std::string password = pair->substr(colon + 1);
    // For programs that know nothing but names and passwords.
    if (!token_id(password).empty()) co_return co_await check_token(std::move(password));
    co_return co_await check_password(pair->substr(0, colon), std::move(password), request.remote_address);
  }
  if (!header.empty()) co_return refused(401, "the header Authorization must be Bearer or Basic");
  const std::string_view session = cookie_in(request, kSessionCookie);
  if (session.empty())
    co_return refused(401,
                      "log in: send a token as \"Authorization: Bearer TOKEN\"; `nuctl login` and `dashboard "
                      "token create` give one");
  if (token_id(session).empty()) co_return refused(401, "the session is not known");
  auto caller = co_await check_token(std::string(session));
  if (!caller) co_return caller;
  if (caller->credential != Credential::session) co_return refused(401, "the cookie is no session's");
  if (changes_something(request.method) && request.headers.get("X-Nuclio-Csrf").empty())
    co_return refused(403, "a change with a session's cookie must have the header X-Nuclio-Csrf, whatever its value");
  co_return caller;
}

Task<Result<std::string>> Authenticator::begin_session(const Caller& caller, bool secure) {
  auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(config_.session_lifetime);
  // Nobody tells us when the cluster's token ends.
  if (caller.known_by == Credential::cluster) lifetime = std::min<std::chrono::seconds>(lifetime, kClusterSession);
  NewToken session = made({.kind = TokenKind::session,
                           .name = "session",
                           .owner = caller.name,
                           .groups = caller.groups,
                           .known_by = caller.known_by,
                           .extra = caller.extra,
                           .made_by = caller.credential == Credential::token ? caller.token_id : std::string(),
                           .created = wall_now(),
                           .expires = wall_now() + lifetime});
  // One of a token lives no longer than that, and may no more.
  if (caller.by_grants_alone) {
    session.token.owner.clear();
    session.token.name = caller.name.starts_with("token ") ? caller.name.substr(6) : caller.name;
    session.token.grants = caller.grants;
  } else if (caller.scope) {
    session.token.grants = *caller.scope;
  }
  if (caller.expires) session.token.expires = std::min(session.token.expires, *caller.expires);
  const auto age = session.token.expires - wall_now();
  CO_TRY_DO(co_await tokens_.add(std::move(session.token)));
  co_return cookie(session.text, age, secure);
}

Task<Result<std::string>> Authenticator::end_session(const Caller& caller, bool secure) {
  if (caller.credential == Credential::session) CO_TRY_DO(co_await tokens_.remove(caller.token_id));
  co_return cookie("", 0s, secure);
}

Caller Authenticator::known_by_provider(std::string user, std::vector<std::string> groups) const {
  Caller out{.name = std::move(user),
             .groups = std::move(groups),
             .credential = Credential::oidc,
             .known_by = Credential::oidc};
  out.grants = grants_of(config_, out.name, out.groups);
  return out;
}

}  // namespace nuclio::dashboard
