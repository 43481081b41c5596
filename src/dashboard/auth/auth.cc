// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/auth.h"

#include <fstream>
#include <sstream>

#include "dashboard/auth/cluster_reviews.h"
#include "dashboard/auth/opa_authorizer.h"

namespace nuclio::dashboard {
namespace {

Result<std::string> read_file(const std::string& path, const std::string& flag) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Why::not_found, flag + ": cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

Result<std::unique_ptr<Authorizer>> authorizer_for(const AuthConfig& config, const AuthKinds& kinds,
                                                   http::Client& client, const spec::OpaConfig& opa,
                                                   k8s::Api* cluster) {
  const auto usual = kinds.kubernetes ? Authorization::cluster : Authorization::grants;
  switch (config.authorization.value_or(usual)) {
    case Authorization::grants: return std::make_unique<RoleAuthorizer>();
    case Authorization::cluster:
      if (!cluster) return fail(Why::invalid, "authorization: cluster is for --platform kube");
      return std::make_unique<ClusterAuthorizer>(*cluster);
    case Authorization::opa:
      if (opa.address.empty())
        return fail(Why::invalid, "authorization: opa needs opa.address in the platform's settings");
      return std::make_unique<OpaAuthorizer>(client, opa);
  }
  return fail(Why::internal, "no authorizer");
}

}  // namespace

Result<std::unique_ptr<Auth>> Auth::open(Loop& loop, http::Client& client, const AuthOptions& options,
                                         std::unique_ptr<TokenStore> tokens, k8s::Api* cluster) {
  std::unique_ptr<Auth> out{new Auth};
  auto kinds = parse_auth_kinds(options.kinds);
  if (!kinds) return std::unexpected(std::move(kinds).error().in("--auth-kind"));
  std::string text;
  if (!options.config.empty()) {
    TRY(text, read_file(options.config, "--auth-config"));
  }
  auto config = parse_auth_config(text, *kinds);
  if (!config)
    return std::unexpected(
        std::move(config).error().in(options.config.empty() ? "--auth-config" : "--auth-config " + options.config));
  auto authorizer = authorizer_for(*config, *kinds, client, options.opa, cluster);
  if (!authorizer) return std::unexpected(std::move(authorizer).error().in("--auth-config"));
  out->authorizer_ = std::move(*authorizer);
  if (kinds->oidc) {
    std::string secret;
    if (const std::string& path = config->oidc->client_secret_file; !path.empty()) {
      TRY(secret, read_file(path, "--auth-config: oidc.clientSecretFile"));
    }
    while (secret.ends_with('\n')) secret.pop_back();
    out->oidc_.emplace(client, *config->oidc, std::move(secret));
  }
  if (kinds->kubernetes) {
    if (!cluster) return fail(Why::invalid, "--auth-kind kubernetes is for --platform kube");
    out->reviews_.emplace(*cluster, config->cluster_audiences);
  }
  if (!options.audit_log.empty()) {
    TRY(out->audit_log_, AuditLog::open(options.audit_log));
  }
  out->tokens_ = std::move(tokens);
  out->authenticator_.emplace(loop, *kinds, std::move(*config), *out->tokens_,
                              out->reviews_ ? &*out->reviews_ : nullptr, options.https);
  return out;
}

}  // namespace nuclio::dashboard
