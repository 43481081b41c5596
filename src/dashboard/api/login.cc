// SPDX-License-Identifier: Apache-2.0
// Who the caller is: sessions of browsers, logins at an OpenID provider, and API tokens.
#include <algorithm>
#include <boost/json.hpp>

#include "base/log.h"
#include "base/names.h"
#include "dashboard/api/calls.h"
#include "dashboard/auth/token.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;

constexpr std::string_view kLoginCookie = "nuclio_login";  // between the two steps of a login at a provider
constexpr std::string_view kLoginPath = "/api/v2/login/oidc";
constexpr auto kDefaultLifetime = std::chrono::hours{24 * 30};
constexpr std::size_t kLongestName = 63;

json::string as_string(std::string_view text) { return json::string(text.data(), text.size()); }

std::string_view word(Credential credential) {
  switch (credential) {
    case Credential::none: return "none";
    case Credential::password: return "password";
    case Credential::session: return "session";
    case Credential::token: return "token";
    case Credential::cluster: return "kubernetes";
    case Credential::oidc: return "oidc";
  }
  return "";
}

json::array shown(const std::vector<Grant>& grants) {
  json::array out;
  for (const Grant& each : grants)
    out.push_back(json::object{
        {"role", as_string(schema::name_of(each.role))}, {"project", each.project}, {"namespace", each.name_space}});
  return out;
}

json::object kinds_of(const Authenticator& authenticator) {
  const AuthKinds& kinds = authenticator.kinds();
  return {{"required", authenticator.asks()},
          {"basic", kinds.basic},
          {"tokens", kinds.tokens},
          {"oidc", kinds.oidc},
          {"kubernetes", kinds.kubernetes}};
}

json::object session_of(const Authenticator& authenticator, const Caller& caller) {
  json::array groups;
  for (const std::string& each : caller.groups) groups.emplace_back(each);
  json::object out{{"loggedIn", true},
                   {"name", caller.name},
                   {"groups", std::move(groups)},
                   {"credential", as_string(word(caller.credential))},
                   {"grants", shown(caller.grants)},
                   {"login", kinds_of(authenticator)}};
  if (caller.scope) out["scope"] = shown(*caller.scope);
  if (caller.expires) out["expires"] = text(*caller.expires);
  return out;
}

// Without the hash, which is nobody's business.
json::object shown(const Token& token) {
  return {{"id", token.id},
          {"name", token.name},
          {"owner", token.owner},
          {"grants", shown(token.grants)},
          {"created", text(token.created)},
          {"expires", text(token.expires)}};
}

// Who may see and revoke the tokens of others: an admin of everything.
bool is_admin_of_all(const Caller& caller) {
  const auto all = [](const Grant& grant) {
    return grant.role == Role::admin && grant.project == "*" && grant.name_space == "*";
  };
  return std::ranges::any_of(caller.grants, all) && (!caller.scope || std::ranges::any_of(*caller.scope, all));
}

bool is_of(const Token& token, const Caller& caller) {
  return !token.owner.empty() && token.owner == caller.name && token.known_by == caller.known_by;
}

Result<Grant> grant_in(const json::object& value) {
  Grant out;
  const std::string role = member_text(value, "role");
  constexpr auto kRoles = choices(Role{});
  const auto* known = std::ranges::find(kRoles, role, &schema::Choice<Role>::name);
  if (known == kRoles.end()) return fail(Why::invalid, "role must be viewer, developer or admin, is \"" + role + "\"");
  out.role = known->value;
  if (std::string project = member_text(value, "project"); !project.empty() && project != "*") {
    TRY_DO(parse_project_name(project));
    out.project = std::move(project);
  }
  if (std::string name = member_text(value, "namespace"); !name.empty() && name != "*") {
    TRY_DO(parse_namespace(name));
    out.name_space = std::move(name);
  }
  return out;
}

// What somebody asks for, as theirs.
Result<Token> token_in(const json::object& body, const Caller& caller, const AuthConfig& config) {
  Token out{.name = member_text(body, "name"),
            .owner = caller.name,
            .groups = caller.groups,
            .known_by = caller.known_by,
            .extra = caller.extra,
            .made_by = caller.credential == Credential::token ? caller.token_id : std::string(),
            .created = wall_now()};
  const bool printable = std::ranges::all_of(out.name, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  if (out.name.empty() || out.name.size() > kLongestName || !printable)
    return fail(Why::invalid, "name must say what the token is for, in at most " + std::to_string(kLongestName) +
                                  " bytes without control characters");
  if (const json::value* list = body.if_contains("grants")) {
    if (!list->is_array() || list->get_array().size() > 100)
      return fail(Why::invalid, "grants must be a list of at most 100");
    for (const json::value& each : list->get_array()) {
      if (!each.is_object()) return fail(Why::invalid, "grants must be a list of objects");
      TRY(Grant grant, grant_in(each.get_object()));
      out.grants.push_back(std::move(grant));
    }
  }
  // One made with a token may no more than that.
  if (caller.scope && out.grants.empty()) out.grants = *caller.scope;
  std::chrono::seconds lifetime = kDefaultLifetime;
  if (const std::string asked = member_text(body, "expiresIn"); !asked.empty()) {
    auto parsed = parse_lifetime(asked);
    if (!parsed) return std::unexpected(std::move(parsed).error().in("expiresIn"));
    lifetime = *parsed;
  }
  const auto longest = std::chrono::duration_cast<std::chrono::seconds>(config.longest_token_lifetime);
  if (lifetime > longest)
    return fail(Why::invalid,
                "expiresIn must be at most " + std::to_string(longest.count()) + "s, the longest that is allowed here");
  out.expires = out.created + lifetime;
  if (caller.expires && caller.credential == Credential::token) out.expires = std::min(out.expires, *caller.expires);
  return out;
}

std::string login_cookie(std::string_view value, int age, bool secure) {
  // Lax: it must come along when the provider sends the browser back.
  return std::string(kLoginCookie) + "=" + std::string(value) + "; Path=" + std::string(kLoginPath) +
         "; Max-Age=" + std::to_string(age) + "; HttpOnly; SameSite=Lax" + (secure ? "; Secure" : "");
}

Task<Response> begun_session(Context& context, const Request& request, const Caller& caller, Response response) {
  auto cookie = co_await context.authenticator.begin_session(caller, context.authenticator.came_by_https(request));
  if (!cookie) co_return Response::error(cookie.error());
  log::info("Somebody logged in", {{"caller", caller.name.substr(0, 300)},
                                   {"credential", word(caller.credential)},
                                   {"from", request.remote_address}});
  response.headers.add("Set-Cookie", *cookie);
  co_return response;
}

}  // namespace

Task<Response> get_session(Context& context, Request& request, const PathParams&) {
  auto caller = co_await context.authenticator.identify(request);
  if (caller) co_return json_response(200, session_of(context.authenticator, *caller));
  if (caller.error().status != 401) co_return std::move(caller.error());
  json::object out{{"loggedIn", false}, {"login", kinds_of(context.authenticator)}};
  co_return json_response(200, std::move(out));
}

Task<Response> post_session(Context& context, Request& request, const PathParams&) {
  if (!context.authenticator.asks()) co_return refusal(412, "nobody logs in here: whoever comes may do everything");
  auto body = body_object(request);
  if (!body) co_return Response::error(body.error());
  const std::string token = member_text(*body, "token");
  auto caller = token.empty()
                    ? co_await context.authenticator.check_password(
                          member_text(*body, "username"), member_text(*body, "password"), request.remote_address)
                    : co_await context.authenticator.check_token(token);
  if (!caller) co_return std::move(caller.error());
  co_return co_await begun_session(context, request, *caller,
                                   json_response(201, session_of(context.authenticator, *caller)));
}

Task<Response> delete_session(Context& context, Request& request, const PathParams&) {
  auto cookie =
      co_await context.authenticator.end_session(context.caller, context.authenticator.came_by_https(request));
  if (!cookie) co_return Response::error(cookie.error());
  Response response = Response::empty(204);
  response.headers.add("Set-Cookie", *cookie);
  co_return response;
}

Task<Response> begin_oidc_login(Context& context, Request& request, const PathParams&) {
  if (!context.oidc) co_return refusal(404, "nobody logs in at an OpenID provider here");
  auto start = co_await context.oidc->start();
  if (!start) co_return Response::error(start.error());
  Response response = Response::empty(302);
  response.headers.set("Location", start->url);
  response.headers.add("Set-Cookie", login_cookie(start->secret, 600, context.authenticator.came_by_https(request)));
  co_return response;
}

Task<Response> end_oidc_login(Context& context, Request& request, const PathParams&) {
  if (!context.oidc) co_return refusal(404, "nobody logs in at an OpenID provider here");
  const auto param = [&](std::string_view name) { return http::query_param(request.query, name).value_or(""); };
  if (const std::string error = param("error"); !error.empty())
    co_return refusal(403, "the OpenID provider says: " + error.substr(0, 200));
  auto user =
      co_await context.oidc->finish(std::string(cookie_in(request, kLoginCookie)), param("code"), param("state"));
  if (!user) co_return Response::error(user.error());
  const Caller caller = context.authenticator.known_by_provider(user->name, user->groups);
  // Not a redirect: it would be the last step of a way that began at the provider's page, on which a browser does not
  // send the session's cookie.
  Response response = Response::text(200, "You are logged in.\n");
  response.headers.set("Refresh", "0; url=/");
  response.headers.add("Set-Cookie", login_cookie("", 0, context.authenticator.came_by_https(request)));
  co_return co_await begun_session(context, request, caller, std::move(response));
}

Task<Response> get_tokens(Context& context, Request&, const PathParams&) {
  auto all = co_await context.authenticator.tokens().all();
  if (!all) co_return Response::error(all.error());
  const bool everything = is_admin_of_all(context.caller);
  json::array out;
  for (const Token& each : *all)
    if (each.kind == TokenKind::token && each.expires > wall_now() && (everything || is_of(each, context.caller)))
      out.push_back(shown(each));
  json::object answer{{"tokens", std::move(out)}};
  co_return json_response(200, std::move(answer));
}

Task<Response> post_token(Context& context, Request& request, const PathParams&) {
  const Caller& caller = context.caller;
  if (!context.authenticator.asks()) co_return refusal(412, "nobody is asked for a token here");
  if (caller.by_grants_alone)
    co_return refusal(403, caller.name +
                               " stands for no user, and only users have tokens of their own; `dashboard "
                               "token create` makes others");
  auto body = body_object(request);
  if (!body) co_return Response::error(body.error());
  auto asked = token_in(*body, caller, context.authenticator.config());
  if (!asked) co_return Response::error(asked.error());
  // What a token may is looked at with each call, together with what its owner may; nothing else keeps one that was
  // made by a token from being more.
  if (caller.scope)
    for (const Grant& each : asked->grants) {
      const bool within = std::ranges::any_of(*caller.scope, [&](const Grant& own) {
        return own.role >= each.role && (own.project == "*" || own.project == each.project) &&
               (own.name_space == "*" || own.name_space == each.name_space);
      });
      if (!within) co_return refusal(403, "a token cannot make one that may more than itself");
    }
  NewToken made_token = made(std::move(*asked));
  json::object answer = shown(made_token.token);
  answer["token"] = made_token.text;
  auto added = co_await context.authenticator.tokens().add(std::move(made_token.token));
  if (!added) co_return Response::error(added.error());
  co_return json_response(201, std::move(answer));
}

Task<Response> delete_token(Context& context, Request&, const PathParams& params) {
  auto found = co_await context.authenticator.tokens().find(params.get("id"));
  if (!found) co_return Response::error(found.error());
  // Of somebody else's it is not said that it exists.
  if (!*found || (*found)->kind != TokenKind::token ||
      (!is_of(**found, context.caller) && !is_admin_of_all(context.caller)))
    co_return Response::error(Error{Why::not_found, "you have no token \"" + params.get("id").substr(0, 100) + "\""});
  auto removed = co_await context.authenticator.tokens().remove(params.get("id"));
  if (!removed) co_return Response::error(removed.error());
  co_return Response::empty(204);
}

}  // namespace nuclio::dashboard
