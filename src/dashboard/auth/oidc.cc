// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/oidc.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/base64.h"
#include "dashboard/auth/jwt.h"
#include "dashboard/auth/secret_text.h"
#include "dashboard/auth/token.h"
#include "http/headers.h"
#include "schema/json.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kPatience = 15s;  // for a step, whatever it asks the provider
constexpr auto kProviderKept = 10min;
constexpr std::int64_t kSkew = 60;  // seconds by which clocks may differ

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(json::string_view(name.data(), name.size()));
  return member && member->is_string() ? std::string(member->get_string()) : std::string();
}

std::optional<std::int64_t> number_in(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(json::string_view(name.data(), name.size()));
  if (!member || !member->is_number()) return {};
  return member->is_double() ? static_cast<std::int64_t>(member->get_double()) : member->to_number<std::int64_t>();
}

std::string encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char each : text) {
    const auto c = static_cast<unsigned char>(each);
    if (std::isalnum(c) || each == '-' || each == '_' || each == '.' || each == '~') {
      out += each;
    } else {
      out += '%';
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
    }
  }
  return out;
}

std::string form(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (!out.empty()) out += '&';
    out += std::string(name) + "=" + encoded(value);
  }
  return out;
}

// What the first step leaves to the second: three texts of letters and digits.
struct Secret {
  std::string state, nonce, verifier;
};
std::optional<Secret> read_secret(std::string_view text) {
  std::array<std::string, 3> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t end = i + 1 < parts.size() ? text.find('.') : text.size();
    if (end == std::string_view::npos) return {};
    parts[i] = text.substr(0, end);
    if (parts[i].size() < 43) return {};
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return Secret{parts[0], parts[1], parts[2]};
}

bool is_audience(const json::value* audience, std::string_view client) {
  if (!audience) return false;
  if (audience->is_string()) return std::string_view(audience->get_string()) == client;
  return audience->is_array() && std::ranges::any_of(audience->get_array(), [&](const json::value& each) {
           return each.is_string() && std::string_view(each.get_string()) == client;
         });
}

}  // namespace

Task<Result<json::value>> OidcLogin::ask(http::ClientRequest request, Deadline deadline) {
  const std::string what = request.method + " " + request.url;
  request.authorities = config_.authorities_file;
  request.max_body = Bytes{1 << 20};
  auto answer = co_await client_.fetch(std::move(request), deadline);
  if (!answer) {
    Error error = std::move(answer).error().in("the OpenID provider");
    error.why = Why::unavailable;
    co_return fail(std::move(error));
  }
  // The answer may hold what must not be seen: it is not quoted.
  auto value = schema::parse_json(answer->body);
  if (answer->status != 200) {
    std::string why;
    if (value && value->is_object()) why = text_in(value->get_object(), "error");
    co_return fail(answer->status < 500 ? Why::forbidden : Why::unavailable,
                   "the OpenID provider: " + what + " answered with status " + std::to_string(answer->status) +
                       (why.empty() ? "" : " (" + why.substr(0, 100) + ")"));
  }
  if (!value || !value->is_object())
    co_return fail(Why::unavailable, "the OpenID provider: " + what + " gave no JSON object");
  co_return std::move(*value);
}

Task<Result<OidcLogin::Provider>> OidcLogin::provider(Deadline deadline) {
  if (provider_ && provider_->until > std::chrono::steady_clock::now()) co_return *provider_;
  std::string issuer = config_.issuer;
  while (issuer.ends_with('/')) issuer.pop_back();
  http::ClientRequest request;
  request.url = issuer + "/.well-known/openid-configuration";
  CO_TRY(const json::value answer, co_await ask(std::move(request), deadline));
  const json::object& found = answer.get_object();
  if (text_in(found, "issuer") != config_.issuer)
    co_return fail(Why::unavailable, "the OpenID provider at " + config_.issuer + " says that it is \"" +
                                         text_in(found, "issuer") + "\"; oidc.issuer must be just that");
  Provider out{text_in(found, "authorization_endpoint"), text_in(found, "token_endpoint"), text_in(found, "jwks_uri"),
               std::chrono::steady_clock::now() + kProviderKept};
  if (out.authorization_endpoint.empty() || out.token_endpoint.empty() || out.jwks_uri.empty())
    co_return fail(Why::unavailable, "the OpenID provider at " + config_.issuer + " does not say where to log in");
  provider_ = out;
  co_return out;
}

Task<Result<OidcLogin::Start>> OidcLogin::start() {
  CO_TRY(const Provider found, co_await provider(Deadline::in(kPatience)));
  const Secret secret{secret_text(43), secret_text(43), secret_text(64)};
  std::string scopes;
  for (const std::string& each : config_.scopes) scopes += (scopes.empty() ? "" : " ") + each;
  const std::string challenge = base64url(sha256_bytes(secret.verifier));
  const std::string query = form({{"response_type", "code"},
                                  {"client_id", config_.client_id},
                                  {"redirect_uri", config_.redirect_url},
                                  {"scope", scopes},
                                  {"state", secret.state},
                                  {"nonce", secret.nonce},
                                  {"code_challenge", challenge},
                                  {"code_challenge_method", "S256"}});
  const std::string& page = found.authorization_endpoint;
  co_return Start{page + (page.find('?') == std::string::npos ? "?" : "&") + query,
                  secret.state + "." + secret.nonce + "." + secret.verifier};
}

Task<Result<std::string>> OidcLogin::id_token(std::string endpoint, std::string code, std::string verifier,
                                              Deadline deadline) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = std::move(endpoint);
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  request.headers.add("Accept", "application/json");
  request.body = form({{"grant_type", "authorization_code"},
                       {"code", code},
                       {"redirect_uri", config_.redirect_url},
                       {"client_id", config_.client_id},
                       {"code_verifier", verifier}});
  if (!client_secret_.empty())
    request.headers.add("Authorization",
                        "Basic " + encode_base64(encoded(config_.client_id) + ":" + encoded(client_secret_)));
  CO_TRY(const json::value answer, co_await ask(std::move(request), deadline));
  std::string token = text_in(answer.get_object(), "id_token");
  if (token.empty()) co_return fail(Why::unavailable, "the OpenID provider gave no ID token");
  co_return token;
}

Task<Result<json::object>> OidcLogin::claims(std::string token, std::string jwks_uri, Deadline deadline) {
  if (keys_) {
    auto known = verified_claims(token, *keys_);
    // A provider changes its keys now and then.
    if (known || known.error().why != Why::not_found) co_return known;
  }
  http::ClientRequest request;
  request.url = std::move(jwks_uri);
  CO_TRY(keys_, co_await ask(std::move(request), deadline));
  auto out = verified_claims(token, *keys_);
  if (!out) co_return fail(Why::forbidden, out.error().what);
  co_return out;
}

Result<OidcLogin::User> OidcLogin::user_in(const json::object& claims, std::string_view nonce) const {
  const auto forbidden = [](const std::string& what) { return fail(Why::forbidden, "the ID token " + what); };
  if (text_in(claims, "iss") != config_.issuer) return forbidden("is another issuer's");
  const json::value* audience = claims.if_contains("aud");
  if (!is_audience(audience, config_.client_id)) return forbidden("is for somebody else (aud)");
  const std::string party = text_in(claims, "azp");
  if (!party.empty() && party != config_.client_id) return forbidden("was given to somebody else (azp)");
  const std::int64_t now = wall_now().time_since_epoch().count();
  const auto expires = number_in(claims, "exp");
  if (!expires || *expires + kSkew < now) return forbidden("has expired");
  const auto begins = number_in(claims, "nbf");
  if (begins && *begins - kSkew > now) return forbidden("does not count yet");
  if (!same_secret(text_in(claims, "nonce"), nonce)) return forbidden("is not for this login (nonce)");
  User out{.name = text_in(claims, config_.user_claim), .groups = {}};
  if (out.name.empty()) return forbidden("has no claim " + config_.user_claim + ", which oidc.userClaim names");
  // Anybody can write any address into their account until the provider has seen that it is theirs.
  if (config_.user_claim == "email")
    if (const json::value* verified = claims.if_contains("email_verified"); verified && *verified == false)
      return forbidden("has an email address that the provider has not verified");
  if (const json::value* groups = claims.if_contains(config_.groups_claim); groups && groups->is_array())
    for (const json::value& each : groups->get_array())
      if (each.is_string()) out.groups.emplace_back(each.get_string());
  return out;
}

Task<Result<OidcLogin::User>> OidcLogin::finish(std::string secret, std::string code, std::string state) {
  const auto expected = read_secret(secret);
  if (!expected || !same_secret(expected->state, state))
    co_return fail(Why::forbidden, "this login was not begun in this browser, or too long ago; begin it again");
  const Deadline deadline = Deadline::in(kPatience);
  CO_TRY(const Provider found, co_await provider(deadline));
  CO_TRY(std::string token, co_await id_token(found.token_endpoint, std::move(code), expected->verifier, deadline));
  CO_TRY(const json::object verified, co_await claims(std::move(token), found.jwks_uri, deadline));
  co_return user_in(verified, expected->nonce);
}

}  // namespace nuclio::dashboard
