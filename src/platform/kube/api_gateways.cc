// SPDX-License-Identifier: Apache-2.0
// API gateways are objects that a controller serves; here they are checked and written. They are not watched: each call
// asks the API server. A password is kept in a Secret, which goes with its gateway.
#include <boost/json.hpp>

#include "base/base64.h"
#include "base/log.h"
#include "base/random_text.h"
#include "platform/demands.h"
#include "platform/kube/deploying.h"
#include "platform/kube/names.h"
#include "platform/kube/objects.h"
#include "spec/enrich.h"
#include "spec/rules.h"

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
constexpr auto kCallTime = 30s;

k8s::ObjectName name_of(const ApiGatewayId& id) { return {id.namespace_name.value(), id.name.value()}; }

std::string secrets_of(std::string_view gateway) { return "nuclio-apigateway-" + std::string(gateway) + "-"; }

// The Secret that an object names; "" for none. Whoever may write gateways must not get at other Secrets through us.
std::string secret_of(const json::object& gateway) {
  const std::string_view name = k8s::annotation_of(gateway, kGatewaySecretAnnotation);
  return name.starts_with(secrets_of(k8s::name_of(gateway).name)) ? std::string(name) : "";
}

void name_secret(spec::ApiGateway& gateway) {
  gateway.metadata.annotations[std::string(kGatewaySecretAnnotation)] =
      secrets_of(gateway.metadata.name) + random_text(8);
}

// As it is to be kept, but for its password.
spec::ApiGateway asked_for(spec::ApiGateway gateway) {
  gateway.metadata.annotations.erase(std::string(kGatewaySecretAnnotation));
  return spec::enrich(std::move(gateway));
}

// As it is shown: the Secret that it names is of this very object, and whoever makes another of it must not point
// there.
Result<spec::ApiGateway> shown(const json::object& object) {
  TRY(auto loaded, api_gateway_of(object));
  spec::take_password(loaded.config);
  loaded.config.metadata.annotations.erase(std::string(kGatewaySecretAnnotation));
  return std::move(loaded.config);
}

}  // namespace

Task<Result<std::vector<spec::ApiGateway>>> KubePlatform::api_gateways(Namespace namespace_name, GatewaysOf which) {
  CO_TRY_DO(watched(namespace_name));
  k8s::ListOptions options;
  CO_TRY(k8s::ObjectList list,
         co_await api_.list(kApiGateways, namespace_name.value(), std::move(options), Deadline::in(kCallTime)));
  std::vector<spec::ApiGateway> out;
  for (const json::object& object : list.items) {
    auto gateway = shown(object);
    // One that somebody applied and that cannot be read must not hide the others.
    if (gateway && is_of(*gateway, which)) out.push_back(std::move(*gateway));
  }
  co_return out;
}

Task<Result<json::object>> KubePlatform::gateway_object(ApiGatewayId id, Deadline deadline) {
  CO_TRY_DO(watched(id.namespace_name));
  auto found = co_await api_.get(kWholeApiGateways, name_of(id), deadline);
  if (!found && found.error().why == Why::not_found) co_return fail(missing_api_gateway(id));
  co_return found;
}

Task<Result<spec::ApiGateway>> KubePlatform::api_gateway(ApiGatewayId id) {
  CO_TRY(const json::object found, co_await gateway_object(std::move(id), Deadline::in(kCallTime)));
  co_return shown(found);
}

Task<Result<std::string>> KubePlatform::kept_password(json::object existing, Deadline deadline) {
  auto loaded = api_gateway_of(existing);
  const std::string applied = loaded ? spec::take_password(loaded->config) : "";
  const k8s::ObjectName secret{k8s::name_of(existing).namespace_name, secret_of(existing)};
  if (!applied.empty() || secret.name.empty()) co_return applied;
  auto found = co_await api_.get(k8s::kSecrets, secret, deadline);
  if (!found && found.error().why == Why::not_found) co_return std::string{};
  if (!found) co_return std::unexpected(std::move(found).error());
  const json::value* content = k8s::at(*found, "data.content");
  if (!content || !content->is_string()) co_return std::string{};
  CO_TRY(const std::string text, decode_base64({content->get_string().data(), content->get_string().size()}));
  CO_TRY(auto values, spec::masked_values(text));
  co_return values[std::string(spec::kGatewayPassword)];
}

// A Secret that goes with the gateway, under a name that the gateway names.
Task<Result<void>> KubePlatform::keep_password(json::object gateway, std::string password, Deadline deadline) {
  const k8s::ObjectName owner = k8s::name_of(gateway);
  json::object labels{{kGatewayLabel, owner.name}, {kProjectLabel, k8s::label_of(gateway, kProjectLabel)}};
  json::object reference{{"apiVersion", kApiGateways.api_version()},
                         {"kind", kApiGateways.kind},
                         {"name", owner.name},
                         {"uid", k8s::uid_of(gateway)}};
  json::object metadata{{"name", secret_of(gateway)},
                        {"namespace", owner.namespace_name},
                        {"labels", std::move(labels)},
                        {"ownerReferences", json::array{std::move(reference)}}};
  json::object texts;
  for (const auto& [key, text] : spec::secret_texts({{std::string(spec::kGatewayPassword), password}}))
    texts[key] = text;
  json::object secret{
      {"metadata", std::move(metadata)}, {"type", spec::kGatewaySecretType}, {"stringData", std::move(texts)}};
  auto made = co_await api_.create(k8s::kSecrets, std::move(secret), deadline);
  if (made) co_return Result<void>{};
  co_return std::unexpected(std::move(made).error().in("keeping the password of API gateway " + owner.name));
}

Task<Result<void>> KubePlatform::remove_secret(json::object gateway, Deadline deadline) {
  const k8s::ObjectName secret{k8s::name_of(gateway).namespace_name, secret_of(gateway)};
  if (secret.name.empty()) co_return Result<void>{};
  const k8s::DeleteOptions options;
  co_return co_await api_.remove(k8s::kSecrets, secret, options, deadline);
}

Task<Result<void>> KubePlatform::may_serve(spec::ApiGateway gateway, CheckFunctions check) {
  const Namespace namespace_name{gateway.metadata.namespace_name};
  const GatewaysOf any;
  CO_TRY(const auto others, co_await api_gateways(namespace_name, any));
  CO_TRY(const auto existing, functions(namespace_name, std::nullopt));
  co_return platform::may_serve(gateway, others, existing, check);
}

Task<Result<spec::ApiGateway>> KubePlatform::create_api_gateway(spec::ApiGateway gateway, CheckFunctions check) {
  const Deadline deadline = Deadline::in(kCallTime);
  const ApiGatewayId id = id_of(gateway);
  CO_TRY_DO(watched(id.namespace_name));
  gateway = asked_for(std::move(gateway));
  gateway.metadata.resource_version.clear();
  CO_TRY_DO(spec::put_password(gateway, ""));
  CO_TRY_DO(spec::validate(gateway));
  auto exists = co_await gateway_object(id, deadline);
  if (exists) co_return fail(existing_api_gateway(id));
  if (exists.error().why != Why::not_found) co_return std::unexpected(std::move(exists).error());
  CO_TRY_DO(co_await may_serve(gateway, check));
  const std::string password =
      options_.config.sensitive_fields.mask_sensitive_fields.value_or(true) ? spec::take_password(gateway) : "";
  if (!password.empty()) name_secret(gateway);
  auto made = co_await api_.create(kWholeApiGateways, object_of(gateway, nullptr), deadline);
  if (!made && made.error().why == Why::conflict) co_return fail(existing_api_gateway(id));
  if (!made) co_return std::unexpected(std::move(made).error());
  if (password.empty()) co_return shown(*made);
  // After the gateway, with which it is to go. One that could not be made leaves no gateway without its login.
  auto kept = co_await keep_password(*made, password, deadline);
  if (kept) co_return shown(*made);
  const k8s::DeleteOptions options{.uid = std::string(k8s::uid_of(*made))};
  (void)co_await api_.remove(kApiGateways, name_of(id), options, deadline);
  co_return std::unexpected(std::move(kept).error());
}

Task<Result<spec::ApiGateway>> KubePlatform::update_api_gateway(spec::ApiGateway gateway, CheckFunctions check) {
  const Deadline deadline = Deadline::in(kCallTime);
  CO_TRY(const json::object existing, co_await gateway_object(id_of(gateway), deadline));
  gateway = asked_for(std::move(gateway));
  if (gateway.metadata.resource_version.empty())
    gateway.metadata.resource_version = std::string(k8s::resource_version_of(existing));
  CO_TRY(const std::string before, co_await kept_password(existing, deadline));
  CO_TRY_DO(spec::put_password(gateway, before));
  CO_TRY_DO(spec::validate(gateway));
  CO_TRY_DO(co_await may_serve(gateway, check));
  const std::string password =
      options_.config.sensitive_fields.mask_sensitive_fields.value_or(true) ? spec::take_password(gateway) : "";
  // Another password gets a Secret of another name, before the gateway names it: the one that serves has either.
  const bool same = !password.empty() && password == before && !secret_of(existing).empty();
  if (same) gateway.metadata.annotations[std::string(kGatewaySecretAnnotation)] = secret_of(existing);
  if (!password.empty() && !same) name_secret(gateway);
  json::object object = object_of(gateway, &existing);
  if (!password.empty() && !same) CO_TRY_DO(co_await keep_password(object, password, deadline));
  auto written = co_await api_.replace(kWholeApiGateways, object, deadline);
  if (!written) {
    if (!same) (void)co_await remove_secret(std::move(object), deadline);
    co_return std::unexpected(std::move(written).error());
  }
  if (!same) {
    const auto removed = co_await remove_secret(existing, deadline);
    if (!removed)
      log::warn("An old password of an API gateway is left in its Secret", {{"reason", removed.error().what}});
  }
  co_return shown(*written);
}

Task<Result<void>> KubePlatform::delete_api_gateway(ApiGatewayId id) {
  const Deadline deadline = Deadline::in(kCallTime);
  const k8s::ObjectName name = name_of(id);
  CO_TRY(const json::object existing, co_await gateway_object(std::move(id), deadline));
  k8s::DeleteOptions options;
  options.uid = std::string(k8s::uid_of(existing));
  co_return co_await api_.remove(kApiGateways, name, options, deadline);
}

Task<Result<void>> KubePlatform::delete_gateways(std::vector<spec::ApiGateway> gateways, Deadline deadline) {
  const k8s::DeleteOptions options;
  for (const spec::ApiGateway& each : gateways)
    CO_TRY_DO(co_await api_.remove(kApiGateways, name_of(id_of(each)), options, deadline));
  co_return Result<void>{};
}

}  // namespace nuclio::platform::kube
