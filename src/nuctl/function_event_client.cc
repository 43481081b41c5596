// SPDX-License-Identifier: Apache-2.0
#include "nuctl/function_event_client.h"

#include <algorithm>
#include <boost/json.hpp>

#include "nuctl/function_client.h"
#include "nuctl/function_flags.h"

namespace nuclio::nuctl {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr auto kAnswerTime = 60s;

Session::Api event_call(Session& session, std::string method, std::string path, json::object body = {}) {
  Session::Api api{.method = std::move(method), .path = std::move(path)};
  if (!body.empty()) api.body = json::serialize(body);
  api.headers.emplace_back("X-Nuclio-Function-Event-Namespace", session.name_space());
  return api;
}

}  // namespace

Task<Result<std::vector<json::object>>> list_function_events(Session& session, std::string function) {
  Session::Api api = event_call(session, "GET", api_path("function_events"));
  if (!function.empty()) api.headers.emplace_back("X-Nuclio-Function-Name", function);
  CO_TRY(json::value answer, co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  std::vector<json::object> events;
  if (answer.is_object())
    for (auto& [name, event] : answer.get_object())
      if (event.is_object()) events.push_back(std::move(event.get_object()));
  std::ranges::sort(events, {}, [](const json::object& event) { return text_at(event, "metadata.name"); });
  co_return events;
}

Task<Result<json::object>> get_function_event(Session& session, std::string name) {
  Session::Api api = event_call(session, "GET", api_path("function_events", name));
  CO_TRY(json::value value, co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  if (!value.is_object()) co_return fail(Why::internal, "the dashboard's answer about " + name + " is no object");
  co_return std::move(value.get_object());
}

Task<Result<void>> create_function_event(Session& session, json::object event) {
  object_at(event, "metadata")["namespace"] = session.name_space();
  Session::Api api = event_call(session, "POST", api_path("function_events"), std::move(event));
  CO_TRY_DO(co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  co_return Result<void>{};
}

Task<Result<void>> delete_function_event(Session& session, std::string name) {
  json::object body{{"metadata", {{"name", name}, {"namespace", session.name_space()}}}};
  Session::Api api = event_call(session, "DELETE", api_path("function_events"), std::move(body));
  CO_TRY_DO(co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  co_return Result<void>{};
}

}  // namespace nuclio::nuctl
