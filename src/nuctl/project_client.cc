// SPDX-License-Identifier: Apache-2.0
#include "nuctl/project_client.h"

#include <boost/json.hpp>

#include "nuctl/function_client.h"
#include "nuctl/function_flags.h"

namespace nuclio::nuctl {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr auto kAnswerTime = 60s;
constexpr auto kDeleteTime = 5min;  // cascading: every function of it is drained

Session::Api project_call(Session& session, std::string method, std::string path, json::object body = {}) {
  Session::Api api{.method = std::move(method), .path = std::move(path)};
  if (!body.empty()) api.body = json::serialize(body);
  api.headers.emplace_back("X-Nuclio-Project-Namespace", session.name_space());
  return api;
}

}  // namespace

Task<Result<std::vector<json::object>>> list_projects(Session& session, std::string name) {
  Session::Api api = project_call(session, "GET", api_path("projects", name));
  auto answer = co_await session.call(std::move(api), Deadline::in(kAnswerTime));
  std::vector<json::object> projects;
  if (!answer) {
    if (!name.empty() && answer.error().why == Why::not_found) co_return projects;
    co_return std::unexpected(std::move(answer).error());
  }
  if (!answer->is_object()) co_return projects;
  if (!name.empty()) {
    projects.push_back(std::move(answer->get_object()));
  } else {
    for (auto& [key, project] : answer->get_object())
      if (project.is_object()) projects.push_back(std::move(project.get_object()));
  }
  std::sort(projects.begin(), projects.end(), [](const json::object& a, const json::object& b) {
    return text_at(a, "metadata.name") < text_at(b, "metadata.name");
  });
  co_return projects;
}

Task<Result<void>> create_project(Session& session, json::object project) {
  object_at(project, "metadata")["namespace"] = session.name_space();
  Session::Api api = project_call(session, "POST", api_path("projects"), std::move(project));
  CO_TRY_DO(co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  co_return Result<void>{};
}

Task<Result<void>> delete_project(Session& session, std::string name, std::string strategy) {
  json::object body{{"metadata", {{"name", name}, {"namespace", session.name_space()}}}};
  Session::Api api = project_call(session, "DELETE", api_path("projects"), std::move(body));
  api.headers.emplace_back("X-Nuclio-Delete-Project-Strategy", strategy);
  CO_TRY_DO(co_await session.call(std::move(api), Deadline::in(kDeleteTime)));
  co_return Result<void>{};
}

Task<Result<json::object>> export_project(Session& session, std::string name) {
  Session::Api api = project_call(session, "GET", api_path("projects", name) + "?export=true");
  CO_TRY(json::value value, co_await session.call(std::move(api), Deadline::in(kAnswerTime)));
  if (!value.is_object()) co_return fail(Why::internal, "the dashboard's export of " + name + " is no object");
  co_return std::move(value.get_object());
}

}  // namespace nuclio::nuctl
