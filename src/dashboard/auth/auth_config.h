// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dashboard/auth/caller.h"
#include "schema/schema.h"
#include "schema/type.h"

namespace nuclio::dashboard {

using schema::field;

struct User {
  std::string name;
  std::string password_hash;
  std::vector<std::string> groups;

  template <class U = User>
  static constexpr auto fields() {
    return std::tuple{
        field("name", &U::name, {.doc = "What they log in as.", .required = true}),
        field("passwordHash", &U::password_hash,
              {.doc = "bcrypt hash of the password, as `dashboard hash-password` and `htpasswd -nB` write it.",
               .required = true,
               .secret = true}),
        field("groups", &U::groups, {.doc = "Groups that grants may name."}),
    };
  }
};

// Who has which role. One that names neither a user nor a group is everybody's who has shown who they are.
struct GrantTo {
  std::string user;
  std::string group;
  Role role = Role::viewer;
  std::string project = "*";
  std::string name_space = "*";

  template <class G = GrantTo>
  static constexpr auto fields() {
    return std::tuple{
        field("user", &G::user, {.doc = "Name of the user who has it."}),
        field("group", &G::group, {.doc = "Group that has it."}),
        field("role", &G::role,
              {.doc = "viewer reads; developer deploys and invokes functions, too; admin makes and deletes projects, "
                      "too.",
               .required = true}),
        field("project", &G::project, {.doc = "The project in which it counts; * for all."}),
        field("namespace", &G::name_space, {.doc = "The namespace in which it counts; * for all."}),
    };
  }
};

struct OidcConfig {
  std::string issuer;
  std::string client_id;
  std::string client_secret_file;
  std::string redirect_url;
  std::vector<std::string> scopes{"openid", "profile", "email"};
  std::string user_claim = "email";
  std::string groups_claim = "groups";
  std::string authorities_file;

  template <class O = OidcConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("issuer", &O::issuer, {.doc = "URL of the OpenID provider.", .required = true}),
        field("clientID", &O::client_id, {.doc = "What the provider knows the dashboard as.", .required = true}),
        field("clientSecretFile", &O::client_secret_file, {.doc = "File with the client's secret, if it has one."}),
        field("redirectURL", &O::redirect_url,
              {.doc = "The dashboard's URL as browsers have it, with /api/v2/login/oidc/callback behind it.",
               .required = true}),
        field("scopes", &O::scopes, {.doc = "What is asked for; openid must be among it."}),
        field("userClaim", &O::user_claim, {.doc = "Claim of the ID token that names the user."}),
        field("groupsClaim", &O::groups_claim, {.doc = "Claim that lists their groups."}),
        field("authoritiesFile", &O::authorities_file,
              {.doc = "PEM file of authorities that count for the provider beside the system's."}),
    };
  }
};

enum class Authorization { grants, cluster, opa };
constexpr auto choices(Authorization) {
  using C = schema::Choice<Authorization>;
  return std::array{C{Authorization::grants, "grants"}, C{Authorization::cluster, "cluster"},
                    C{Authorization::opa, "opa"}};
}

// The file of --auth-config.
struct AuthConfig {
  std::vector<User> users;
  std::vector<GrantTo> grants;
  std::optional<OidcConfig> oidc;
  std::vector<std::string> cluster_audiences;
  std::optional<Authorization> authorization;
  std::chrono::nanoseconds session_lifetime = std::chrono::hours{12};
  std::chrono::nanoseconds longest_token_lifetime = std::chrono::hours{24 * 366};
  std::vector<std::string> allowed_origins;

  template <class A = AuthConfig>
  static constexpr auto fields() {
    return std::tuple{
        field("users", &A::users, {.doc = "Who may log in with a password (basic)."}),
        field("grants", &A::grants, {.doc = "Who has which role."}),
        field("oidc", &A::oidc, {.doc = "Where users of an OpenID provider log in (oidc)."}),
        field("clusterAudiences", &A::cluster_audiences,
              {.doc = "Audiences of which a cluster's token must have one (kubernetes); the API server's when empty."}),
        field("authorization", &A::authorization,
              {.doc = "Who decides what users may: grants, the cluster's RBAC, or the Open Policy Agent of "
                      "platform.yaml; cluster with the kind kubernetes, else grants. Tokens that stand for no user are "
                      "always decided by their own grants."}),
        field("sessionLifetime", &A::session_lifetime, {.doc = "How long a browser stays logged in."}),
        field("longestTokenLifetime", &A::longest_token_lifetime,
              {.doc = "The longest time that users may give to tokens of theirs."}),
        field("allowedOrigins", &A::allowed_origins,
              {.doc = "Origins of web pages elsewhere that may call the API with tokens, such as "
                      "https://flows.example.com; none when empty."}),
    };
  }
};

const schema::Type& auth_config_type();

// By what callers show who they are; tokens count with each of the others.
struct AuthKinds {
  bool basic = false;
  bool tokens = false;
  bool oidc = false;
  bool kubernetes = false;
  bool any() const { return tokens; }
};

// "basic,oidc"; "none" and, as Nuclio has it, "nop" for nobody who is asked. Why::invalid for other words.
Result<AuthKinds> parse_auth_kinds(std::string_view text);

// YAML or JSON; the empty text gives the defaults. Why::invalid lists every problem, also what is missing for the
// kinds.
Result<AuthConfig> parse_auth_config(std::string_view text, const AuthKinds& kinds);

// What the configuration grants to a user.
std::vector<Grant> grants_of(const AuthConfig& config, std::string_view user, const std::vector<std::string>& groups);

}  // namespace nuclio::dashboard
