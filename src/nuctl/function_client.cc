// SPDX-License-Identifier: Apache-2.0
#include "nuctl/function_client.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "nuctl/function_flags.h"

namespace nuclio::nuctl {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr auto kAnswerTime = 60s;
// A build may install dependencies; how long it may take is the dashboard's decision, this is for a dashboard that
// hangs.
constexpr auto kDeployTime = 70min;

constexpr const char* kNamespaceHeader = "X-Nuclio-Function-Namespace";

}  // namespace

const json::value* value_at(const json::object& object, std::string_view path) {
  const json::object* at = &object;
  for (;;) {
    std::size_t dot = path.find('.');
    const json::value* next = at->if_contains(path.substr(0, dot));
    if (!next || dot == std::string_view::npos) return next;
    if (!next->is_object()) return nullptr;
    at = &next->get_object();
    path.remove_prefix(dot + 1);
  }
}

std::string text_at(const json::object& object, std::string_view path) {
  const json::value* value = value_at(object, path);
  return value && value->is_string() ? std::string(value->get_string()) : "";
}

std::string api_path(std::string_view resource, std::string_view name) {
  std::string out = "/api/" + std::string(resource);
  if (name.empty()) return out;
  out += '/';
  for (unsigned char c : name) {
    if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += static_cast<char>(c);
    } else {
      out += fmt::format("%{:02X}", c);
    }
  }
  return out;
}

Task<Result<json::object>> get_function(Session& session, std::string name) {
  Session::Api api{.method = "GET", .path = api_path("functions", name)};
  api.headers.emplace_back(kNamespaceHeader, session.name_space());
  CO_TRY(json::value value, co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  if (!value.is_object()) co_return fail(Why::internal, "the dashboard's answer about " + name + " is no object");
  co_return std::move(value.get_object());
}

Task<Result<std::vector<json::object>>> list_functions(Session& session, std::string project) {
  Session::Api api{.method = "GET", .path = api_path("functions")};
  api.headers.emplace_back(kNamespaceHeader, session.name_space());
  if (!project.empty()) api.headers.emplace_back("X-Nuclio-Project-Name", project);
  CO_TRY(json::value value, co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  std::vector<json::object> functions;
  if (value.is_object())
    for (auto& [name, function] : value.get_object())
      if (function.is_object()) functions.push_back(std::move(function.get_object()));
  std::sort(functions.begin(), functions.end(), [](const json::object& a, const json::object& b) {
    return text_at(a, "metadata.name") < text_at(b, "metadata.name");
  });
  co_return functions;
}

Task<Result<json::object>> deploy_function(Session& session, json::object config) {
  std::string name = text_at(config, "metadata.name");
  object_at(config, "metadata")["namespace"] = session.name_space();
  Session::Api api{.method = "PUT", .path = api_path("functions", name), .body = json::serialize(config)};
  api.headers.emplace_back(kNamespaceHeader, session.name_space());
  api.headers.emplace_back("X-Nuclio-Wait-Function-Action", "true");
  CO_TRY_DO(co_await session.call(std::move(api), Deadline::in(kDeployTime)));
  co_return co_await get_function(session, std::move(name));
}

Task<Result<void>> delete_function(Session& session, std::string name, Force force, WithGateways gateways) {
  json::object body{{"metadata", {{"name", name}, {"namespace", session.name_space()}}}};
  Session::Api api{.method = "DELETE", .path = api_path("functions"), .body = json::serialize(body)};
  if (force == Force::yes) api.headers.emplace_back("X-Nuclio-Delete-Function-Ignore-State-Validation", "true");
  if (gateways == WithGateways::yes) api.headers.emplace_back("X-Nuclio-Delete-Function-With-API-Gateways", "true");
  CO_TRY_DO(co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  co_return Result<void>{};
}

Task<Result<std::vector<std::string>>> replicas_of(Session& session, std::string name) {
  Session::Api api{.method = "GET", .path = api_path("functions", name) + "/replicas"};
  api.headers.emplace_back(kNamespaceHeader, session.name_space());
  CO_TRY(json::value value, co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  std::vector<std::string> names;
  const json::value* list = value.is_object() ? value.get_object().if_contains("names") : nullptr;
  if (list && list->is_array())
    for (const json::value& replica : list->get_array())
      if (replica.is_string()) names.emplace_back(replica.get_string());
  co_return names;
}

}  // namespace nuclio::nuctl
