// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/opa_authorizer.h"

#include <boost/json.hpp>
#include <set>

#include "schema/json.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;

std::string path_of(Action action, const Resource& resource) {
  const std::string project = "/projects/" + resource.project;
  switch (resource.kind) {
    case Kind::project: return project;
    case Kind::function:
      return project + "/functions/" + resource.name + (action == Action::redeploy ? "/redeploy" : "");
    case Kind::function_event: return project + "/functions/" + resource.function + "/function-events/" + resource.name;
    case Kind::api_gateway: return project + "/api-gateways/" + resource.name;
  }
  return project;
}

json::string word(Action action) {
  const std::string_view out =
      action == Action::redeploy || action == Action::invoke ? text(Action::update) : text(action);
  return json::string(out.data(), out.size());
}

}  // namespace

Task<Result<json::value>> OpaAuthorizer::ask(std::string path, json::object input) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = config_.address + path;
  request.headers.add("Content-Type", "application/json");
  request.body = json::serialize(json::object{{"input", std::move(input)}});
  request.max_body = Bytes{4 << 20};
  CO_TRY(const http::ClientResponse answer,
         co_await client_.fetch(std::move(request), Deadline::in(std::chrono::seconds{config_.request_timeout})));
  if (answer.status != 200)
    co_return fail(Why::unavailable, config_.address + path + " answered with status " + std::to_string(answer.status));
  CO_TRY(const json::value value, schema::parse_json(answer.body));
  const json::value* result = value.is_object() ? value.get_object().if_contains("result") : nullptr;
  co_return result ? *result : json::value{};
}

Task<Result<std::vector<bool>>> OpaAuthorizer::allows(const Caller& caller, Action action,
                                                      std::vector<Resource> resources) {
  std::vector<bool> out(resources.size(), false);
  if (resources.empty()) co_return out;
  json::array ids{json::value(caller.name)};
  for (const std::string& each : caller.groups) ids.emplace_back(each);
  json::object input{{"action", word(action)}, {"ids", std::move(ids)}};
  const bool one = resources.size() == 1;
  json::array paths;
  for (const Resource& each : resources) paths.emplace_back(path_of(action, each));
  if (one) {
    input["resource"] = paths[0];
  } else {
    input["resources"] = paths;
  }
  auto answer = co_await ask(one ? config_.permission_query_path : config_.permission_filter_path, std::move(input));
  if (!answer) {
    Error error = std::move(answer).error().in("the Open Policy Agent could not be asked");
    error.why = Why::unavailable;
    co_return fail(std::move(error));
  }
  if (one) {
    out[0] = answer->is_bool() && answer->get_bool();
    co_return out;
  }
  if (!answer->is_array()) co_return out;
  std::set<std::string_view> may;
  for (const json::value& each : answer->get_array())
    if (each.is_string()) may.emplace(each.get_string());
  for (std::size_t i = 0; i < paths.size(); ++i) out[i] = may.contains(std::string_view(paths[i].get_string()));
  co_return out;
}

}  // namespace nuclio::dashboard
