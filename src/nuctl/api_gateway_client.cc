// SPDX-License-Identifier: Apache-2.0
#include "nuctl/api_gateway_client.h"

#include <algorithm>
#include <boost/json.hpp>

#include "nuctl/function_client.h"
#include "nuctl/function_flags.h"

namespace nuclio::nuctl {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr auto kAnswerTime = 60s;

Session::Api gateway_call(Session& session, std::string method, std::string path, json::object body = {}) {
  Session::Api api{.method = std::move(method), .path = std::move(path)};
  if (!body.empty()) api.body = json::serialize(body);
  api.headers.emplace_back("X-Nuclio-Api-Gateway-Namespace", session.name_space());
  return api;
}

}  // namespace

Task<Result<std::vector<json::object>>> list_api_gateways(Session& session, std::string function) {
  Session::Api api = gateway_call(session, "GET", api_path("api_gateways"));
  if (!function.empty()) api.headers.emplace_back("X-Nuclio-Function-Name", function);
  CO_TRY(json::value answer, co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  std::vector<json::object> gateways;
  if (answer.is_object())
    for (auto& [name, gateway] : answer.get_object())
      if (gateway.is_object()) gateways.push_back(std::move(gateway.get_object()));
  std::ranges::sort(gateways, {}, [](const json::object& gateway) { return text_at(gateway, "metadata.name"); });
  co_return gateways;
}

Task<Result<json::object>> get_api_gateway(Session& session, std::string name) {
  Session::Api api = gateway_call(session, "GET", api_path("api_gateways", name));
  CO_TRY(json::value value, co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  if (!value.is_object()) co_return fail(Why::internal, "the dashboard's answer about " + name + " is no object");
  co_return std::move(value.get_object());
}

Task<Result<void>> create_api_gateway(Session& session, json::object gateway) {
  object_at(gateway, "metadata")["namespace"] = session.name_space();
  Session::Api api = gateway_call(session, "POST", api_path("api_gateways"), std::move(gateway));
  CO_TRY_DO(co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  co_return Result<void>{};
}

Task<Result<void>> delete_api_gateway(Session& session, std::string name) {
  json::object body{{"metadata", {{"name", name}, {"namespace", session.name_space()}}}};
  Session::Api api = gateway_call(session, "DELETE", api_path("api_gateways"), std::move(body));
  CO_TRY_DO(co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  co_return Result<void>{};
}

}  // namespace nuclio::nuctl
