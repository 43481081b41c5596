// SPDX-License-Identifier: Apache-2.0
#include "oci/authorization.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/base64.h"
#include "oci/json.h"
#include "schema/json.h"

namespace nuclio::oci {
namespace {

constexpr Bytes kMaxTokenAnswer{256u << 10};
constexpr std::chrono::seconds kPatience{30};
// The token standard's default; servers that say nothing mean it.
constexpr std::int64_t kDefaultLifeSeconds = 60;
constexpr std::int64_t kLongestLifeSeconds = 24 * 60 * 60;

std::string basic(const Login& login) { return "Basic " + encode_base64(login.user + ":" + login.password); }

std::string key_of(const Access& access) {
  std::string key;
  for (const std::string& scope : access.scopes()) key += scope + " ";
  return key;
}

}  // namespace

std::string Access::text() const {
  if (repository.empty()) return "be used";
  return action == Action::push ? "push to " + repository : "pull from " + repository;
}

std::vector<std::string> Access::scopes() const {
  std::vector<std::string> scopes;
  if (!repository.empty())
    scopes.push_back("repository:" + repository + (action == Action::push ? ":pull,push" : ":pull"));
  if (!mount_from.empty()) scopes.push_back("repository:" + mount_from + ":pull");
  return scopes;
}

// Lets the others wait while one fetches the token that all want.
class Authorization::Fetching {
 public:
  Fetching(Token& token, WaitList& waiting) : token_(token), waiting_(waiting) { token_.fetching = true; }
  Fetching(const Fetching&) = delete;
  ~Fetching() {
    token_.fetching = false;
    waiting_.notify_all();
  }

 private:
  Token& token_;
  WaitList& waiting_;
};

Authorization::Authorization(Loop& loop, http::Client& client, const Keychain& keychain, std::string registry, Url home,
                             std::string authorities, http::Proxies proxies, http::RetryPolicy retry)
    : loop_(loop),
      client_(client),
      keychain_(keychain),
      registry_(std::move(registry)),
      home_(std::move(home)),
      authorities_(std::move(authorities)),
      proxies_(std::move(proxies)),
      retry_(retry),
      fetched_(loop) {}

Task<Result<const Login*>> Authorization::login(const Access& access, Deadline deadline) {
  auto known = logins_.find(access.repository);
  if (known == logins_.end()) {
    CO_TRY(auto found, co_await keychain_.find(loop_, registry_, Repository{access.repository}, deadline));
    known = logins_.insert_or_assign(access.repository, std::move(found)).first;
  }
  const Login* login = known->second ? &*known->second : nullptr;
  co_return login;
}

Task<Result<std::string>> Authorization::header(Access access, Deadline deadline) {
  if (!challenge_) co_return std::string{};
  CO_TRY(const Login* login, co_await this->login(access, deadline));
  if (login && !login->registry_token.empty()) co_return "Bearer " + login->registry_token;
  if (challenge_->scheme == Challenge::Scheme::basic) {
    if (!login) co_return fail(denied(access, ""));
    co_return basic(*login);
  }
  // A token for pushing is good for pulling, too.
  Access pushing = access;
  pushing.action = Access::Action::push;
  const auto wider = tokens_.find(key_of(pushing));
  const bool has_wider =
      wider != tokens_.end() && !wider->second.text.empty() && loop_.now() < wider->second.good_until;
  Token& token = has_wider ? wider->second : tokens_[key_of(access)];
  while (token.text.empty() || loop_.now() >= token.good_until) {
    if (token.fetching) {
      const bool fetched = co_await fetched_.wait(deadline);
      if (!fetched) co_return fail(Why::timeout, "no token came in time");
      continue;
    }
    Fetching fetching{token, fetched_};
    CO_TRY_DO(co_await fetch(access, token, deadline));
  }
  co_return "Bearer " + token.text;
}

Result<http::ClientRequest> Authorization::token_request(const Access& access, const Login* login) const {
  auto server = parse_url(challenge_->realm);
  if (!server) return fail(std::move(server).error().in("the token server that the registry " + registry_ + " names"));
  const std::string where =
      "the registry " + registry_ + " sends logins to " + server->scheme + "://" + server->authority;
  if (server->scheme == "http" && home_.scheme == "https")
    return fail(Why::forbidden, where + " in plain text; that is not done");
  http::ClientRequest request;
  request.url = server->text();
  request.max_body = kMaxTokenAnswer;
  request.authorities = authorities_;
  if (!server->same_origin(home_)) request.reach = reach_from(home_);
  http::go_through(request, proxies_);
  if (login && !login->identity_token.empty()) {
    request.method = "POST";
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    std::string form = "?grant_type=refresh_token&client_id=nuclio";
    add_query(form, "service", challenge_->service);
    std::string scopes = key_of(access);
    if (!scopes.empty()) scopes.pop_back();
    add_query(form, "scope", scopes);
    add_query(form, "refresh_token", login->identity_token);
    request.body = form.substr(1);
    return request;
  }
  if (!challenge_->service.empty()) add_query(request.url, "service", challenge_->service);
  for (const std::string& scope : access.scopes()) add_query(request.url, "scope", scope);
  if (login) request.headers.add("Authorization", basic(*login));
  return request;
}

Task<Result<void>> Authorization::fetch(const Access& access, Token& token, Deadline deadline) {
  CO_TRY(const Login* login, co_await this->login(access, deadline));
  CO_TRY(const http::ClientRequest request, token_request(access, login));
  CO_TRY(const Url server, parse_url(request.url));
  http::Backoff backoff{loop_, retry_, deadline};
  for (;;) {
    auto answer = co_await client_.fetch(request, earlier(deadline, Deadline::in(kPatience)));
    const bool may_pass = answer ? http::passes(answer->status) : http::passes(answer.error());
    std::optional<std::chrono::seconds> asked;
    if (answer) asked = http::retry_after(answer->headers);
    if (may_pass) {
      const bool again = co_await backoff.again(asked);
      if (again) continue;
    }
    if (!answer) co_return fail(std::move(answer).error().in("fetching a token for the registry " + registry_));
    co_return read_token(*answer, access, server, token);
  }
}

Result<void> Authorization::read_token(const http::ClientResponse& answer, const Access& access, const Url& server,
                                       Token& token) {
  const std::string who =
      "the token server " + server.scheme + "://" + server.authority + " of the registry " + registry_;
  if (answer.status == 401 || answer.status == 403) {
    Error error = denied(access, "");
    logins_.erase(access.repository);
    return fail(std::move(error));
  }
  if (answer.status != 200)
    return fail(Why::unavailable, who + " answered with status " + std::to_string(answer.status));
  const auto document = schema::parse_json(answer.body);
  const boost::json::object* said = document ? document->if_object() : nullptr;
  std::string_view text = said ? text_of(*said, "token") : std::string_view{};
  if (said && text.empty()) text = text_of(*said, "access_token");
  if (text.empty() || !http::is_header_value(text))
    return fail(Why::unavailable, who + " must answer with a JSON object that has a token, and does not");
  std::int64_t life = kDefaultLifeSeconds;
  if (const auto* value = said->if_contains("expires_in"); value && value->is_int64()) life = value->get_int64();
  life = std::clamp<std::int64_t>(life, 1, kLongestLifeSeconds);
  // It must not expire on its way.
  const std::chrono::milliseconds early{std::min<std::int64_t>(life * 1000 / 4, 10'000)};
  token.text = text;
  token.good_until = loop_.now() + std::chrono::seconds{life} - early;
  return {};
}

Result<void> Authorization::refused(const Access& access, std::string_view sent, const http::Headers& answer,
                                    std::string says) {
  auto challenge = parse_challenge(answer.get("WWW-Authenticate"));
  if (!challenge) {
    if (!sent.empty()) return fail(denied(access, says));
    return fail(Why::forbidden, "the registry " + registry_ +
                                    " wants a login and does not say which kind (its WWW-Authenticate names neither "
                                    "Basic nor Bearer)");
  }
  const bool insufficient = challenge->error == "insufficient_scope";
  challenge_ = std::move(challenge);
  if (sent.empty()) return {};
  if (sent.starts_with("Basic ") && challenge_->scheme == Challenge::Scheme::basic) {
    Error error = denied(access, says);
    logins_.erase(access.repository);
    return fail(std::move(error));
  }
  if (insufficient) return fail(denied(access, says));
  for (auto& [scopes, token] : tokens_)
    if (sent == "Bearer " + token.text) token.text.clear();  // it expired, though it said it would not yet
  return {};
}

std::string Authorization::without_secrets(std::string text) const {
  const auto hide = [&text](const std::string& secret) {
    if (secret.empty()) return;
    for (std::size_t at; (at = text.find(secret)) != std::string::npos;) text.replace(at, secret.size(), "***");
  };
  for (const auto& [scopes, token] : tokens_) hide(token.text);
  for (const auto& [repository, login] : logins_) {
    if (!login) continue;
    hide(basic(*login).substr(6));
    for (const std::string* secret : {&login->password, &login->identity_token, &login->registry_token}) hide(*secret);
  }
  return text;
}

Error Authorization::denied(const Access& access, const std::string& said) const {
  const std::string says = without_secrets(said);
  const auto known = logins_.find(access.repository);
  std::string text = "the registry " + registry_;
  const std::string quoted = says.empty() ? std::string{} : " (it says: " + says + ")";
  const std::string command = "`docker login " + registry_ + "`";
  if (known == logins_.end() || !known->second) {
    const std::string places = keychain_.places();
    text += " wants a login to " + access.text() + quoted + ", and ";
    text += places.empty() ? "none was given; " : "there is none for it in " + places + "; ";
    text += "make one with " + command + ", or name a secret that holds one";
    return {Why::forbidden, std::move(text)};
  }
  const Login& login = *known->second;
  text += " does not let ";
  text += login.user.empty() ? "the token" : "the user \"" + login.user + "\"";
  text += " of " + login.source + " " + access.text() + quoted + "; log in anew with " + command +
          ", or ask whoever runs it for access";
  return {Why::forbidden, std::move(text)};
}

}  // namespace nuclio::oci
