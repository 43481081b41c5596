// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/auth_config.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <set>

#include "base/program_flags.h"
#include "dashboard/auth/password.h"
#include "schema/describe.h"
#include "schema/document.h"
#include "schema/read.h"

namespace nuclio::dashboard {
namespace {

using schema::Problem;

void check_users(const AuthConfig& config, std::vector<Problem>& problems) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < config.users.size(); ++i) {
    const User& user = config.users[i];
    const std::string path = "users[" + std::to_string(i) + "]";
    if (user.name.find(':') != std::string::npos)
      problems.push_back({path + ".name", "must have no ':', which ends the name where a password follows"});
    if (!names.insert(user.name).second) problems.push_back({path + ".name", "is another user's, too"});
    if (user.password_hash.empty()) continue;  // told already
    if (auto checked = check_password_hash(user.password_hash); !checked)
      problems.push_back({path + ".passwordHash", checked.error().what});
  }
}

void check_oidc(const OidcConfig& oidc, std::vector<Problem>& problems) {
  if (std::ranges::find(oidc.scopes, "openid") == oidc.scopes.end())
    problems.push_back({"oidc.scopes", "must have openid"});
  for (const auto& [name, url] : {std::pair{"oidc.issuer", &oidc.issuer}, {"oidc.redirectURL", &oidc.redirect_url}})
    if (!url->empty() && !url->starts_with("https://") && !url->starts_with("http://"))
      problems.push_back({name, "must begin with https:// (or http:// where nobody else listens)"});
}

}  // namespace

const schema::Type& auth_config_type() { return schema::type_of<AuthConfig>(); }

Result<AuthKinds> parse_auth_kinds(std::string_view text) {
  AuthKinds out;
  bool none = false;
  for (const std::string& each : split_list(text)) {
    if (each == "basic") {
      out.basic = true;
    } else if (each == "tokens") {
      out.tokens = true;
    } else if (each == "oidc") {
      out.oidc = true;
    } else if (each == "kubernetes") {
      out.kubernetes = true;
    } else if (each == "none" || each == "nop") {
      none = true;
    } else {
      return fail(Why::invalid,
                  "must be of basic, tokens, oidc and kubernetes, commas between them, or none, is \"" + each + "\"");
    }
  }
  const bool some = out.basic || out.tokens || out.oidc || out.kubernetes;
  if (none && some) return fail(Why::invalid, "none stands alone, is \"" + std::string(text) + "\"");
  out.tokens = some;
  return out;
}

Result<AuthConfig> parse_auth_config(std::string_view text, const AuthKinds& kinds) {
  TRY(const schema::Document document, schema::parse_document(text));
  AuthConfig config;
  std::vector<Problem> problems;
  if (!document.value.is_null()) {
    schema::Report report =
        schema::read_into(document.value, &config, auth_config_type(), {.scalars = document.scalars});
    problems = std::move(report.problems);
  }
  check_users(config, problems);
  if (config.oidc) check_oidc(*config.oidc, problems);
  if (kinds.basic && config.users.empty())
    problems.push_back({"users", "must have somebody, since people log in with passwords (basic)"});
  if (kinds.oidc && !config.oidc)
    problems.push_back({"oidc", "must be set, since people log in at an OpenID provider (oidc)"});
  if (config.session_lifetime < std::chrono::minutes{1}) problems.push_back({"sessionLifetime", "must be at least 1m"});
  if (!problems.empty()) return fail(Why::invalid, schema::text(problems));
  return config;
}

std::vector<Grant> grants_of(const AuthConfig& config, std::string_view user, const std::vector<std::string>& groups) {
  std::vector<Grant> out;
  for (const GrantTo& each : config.grants) {
    const bool to_user = each.user.empty() || each.user == user;
    const bool to_group = each.group.empty() || std::ranges::find(groups, each.group) != groups.end();
    if (to_user && to_group) out.push_back({each.role, each.project, each.name_space});
  }
  return out;
}

}  // namespace nuclio::dashboard
