// SPDX-License-Identifier: Apache-2.0
// API gateways are kept, for a cluster to import and for clients that manage them; nothing serves them here.
#include <algorithm>

#include "base/names.h"
#include "platform/process/managed.h"
#include "spec/enrich.h"
#include "spec/masking.h"
#include "spec/rules.h"

namespace nuclio::platform::process {
namespace {

constexpr const char* kNotServed =
    "nothing serves API gateways on this platform yet: call the functions by their own URLs";

spec::ApiGateway shown(spec::ApiGateway gateway) {
  spec::take_password(gateway);
  return gateway;
}

}  // namespace

Task<Result<std::vector<spec::ApiGateway>>> ProcessPlatform::api_gateways(Namespace namespace_name, GatewaysOf which) {
  CO_TRY(auto all, store_.api_gateways(namespace_name));
  std::vector<spec::ApiGateway> out;
  for (spec::ApiGateway& each : all)
    if (is_of(each, which)) out.push_back(shown(std::move(each)));
  co_return out;
}

Task<Result<spec::ApiGateway>> ProcessPlatform::api_gateway(ApiGatewayId id) {
  CO_TRY(auto all, store_.api_gateways(id.namespace_name));
  const auto found = std::ranges::find(all, id, [](const spec::ApiGateway& each) { return id_of(each); });
  if (found == all.end()) co_return fail(missing_api_gateway(id));
  co_return shown(std::move(*found));
}

// Keeps what was asked for, in the place of `existing` or as a new one.
Result<spec::ApiGateway> ProcessPlatform::keep(spec::ApiGateway gateway, CheckFunctions check, MustExist must_exist) {
  const ApiGatewayId id = id_of(gateway);
  TRY_DO(parse_namespace(id.namespace_name.value()));
  TRY(auto all, store_.api_gateways(id.namespace_name));
  const auto existing = std::ranges::find(all, id, [](const spec::ApiGateway& each) { return id_of(each); });
  const bool exists = existing != all.end();
  if (exists && must_exist == MustExist::no) return fail(existing_api_gateway(id));
  if (!exists && must_exist == MustExist::yes) return fail(missing_api_gateway(id));
  gateway = spec::enrich(std::move(gateway));
  TRY_DO(spec::put_password(gateway, exists ? spec::take_password(*existing) : ""));
  TRY_DO(spec::validate(gateway));
  TRY(const auto functions, this->functions(id.namespace_name, std::nullopt));
  TRY_DO(may_serve(gateway, all, functions, check));
  gateway.metadata.resource_version.clear();
  gateway.status.last_error = kNotServed;
  TRY_DO(store_.save(gateway));
  return shown(std::move(gateway));
}

Task<Result<spec::ApiGateway>> ProcessPlatform::create_api_gateway(spec::ApiGateway gateway, CheckFunctions check) {
  co_return keep(std::move(gateway), check, MustExist::no);
}

Task<Result<spec::ApiGateway>> ProcessPlatform::update_api_gateway(spec::ApiGateway gateway, CheckFunctions check) {
  co_return keep(std::move(gateway), check, MustExist::yes);
}

Task<Result<void>> ProcessPlatform::delete_api_gateway(ApiGatewayId id) {
  CO_TRY_DO(co_await api_gateway(id));
  co_return store_.delete_api_gateway(id);
}

}  // namespace nuclio::platform::process
