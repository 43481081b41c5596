// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <charconv>

#include "dashboard/api/calls.h"
#include "platform/kube/conditions.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;
using platform::RevisionState;

platform::FunctionId id_in_path(const Context& context, const Request& request, const PathParams& params) {
  return {namespace_of(context, request, "X-Nuclio-Function-Namespace"), params.as<FunctionName>("id")};
}

std::string_view text(RevisionState state) {
  switch (state) {
    case RevisionState::deploying: return "deploying";
    case RevisionState::serving: return "serving";
    case RevisionState::superseded: return "superseded";
    case RevisionState::failed: return "failed";
  }
  return "";
}

json::object shown(const platform::RevisionSummary& revision) {
  json::object out{{"number", revision.number.value()}};
  if (revision.deployed) out["deployed"] = platform::kube::rfc3339(*revision.deployed);
  if (!revision.deployed_by.empty()) out["deployedBy"] = revision.deployed_by;
  out["state"] = text(revision.state);
  out["serving"] = revision.state == RevisionState::serving;
  return out;
}

}  // namespace

Task<Response> get_revisions(Context& context, Request& request, const PathParams& params) {
  auto revisions = co_await context.platform.revisions(id_in_path(context, request, params));
  if (!revisions) co_return Response::error(revisions.error());
  json::array list;
  for (const auto& each : *revisions) list.push_back(shown(each));
  json::object out{{"revisions", std::move(list)}};
  co_return json_response(200, std::move(out));
}

Task<Response> get_revision(Context& context, Request& request, const PathParams& params) {
  const std::string& text = params.get("number");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1) {
    const Error wrong{Why::invalid, "a revision is a number from 1 on, not \"" + text + "\""};
    co_return Response::error(wrong);
  }
  const platform::Revision wanted{number};
  auto config = co_await context.platform.revision(id_in_path(context, request, params), wanted);
  if (!config) co_return Response::error(config.error());
  co_return json_response(200, dashboard::shown(*config));
}

}  // namespace nuclio::dashboard
