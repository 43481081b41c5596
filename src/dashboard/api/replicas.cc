// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <charconv>

#include "base/duration.h"
#include "dashboard/api/calls.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;

platform::FunctionId id_in_path(const Context& context, const Request& request, const PathParams& params) {
  return {namespace_of(context, request, "X-Nuclio-Function-Namespace"), params.as<FunctionName>("id")};
}

Result<platform::LogRequest> log_request(const Request& request) {
  platform::LogRequest out;
  out.follow = is_true(http::query_param(request.query, "follow").value_or(""));
  if (auto since = http::query_param(request.query, "since"); since && !since->empty()) {
    auto duration = parse_duration(*since);
    if (!duration) return std::unexpected(std::move(duration).error().in("since"));
    out.since = *duration;
  }
  if (auto tail = http::query_param(request.query, "tailLines"); tail && !tail->empty()) {
    std::size_t lines = 0;
    auto [end, error] = std::from_chars(tail->data(), tail->data() + tail->size(), lines);
    if (error != std::errc{} || end != tail->data() + tail->size())
      return fail(Why::invalid, "tailLines must be a number of lines, is \"" + *tail + "\"");
    out.tail_lines = lines;
  }
  return out;
}

}  // namespace

Task<Response> get_replicas(Context& context, Request& request, const PathParams& params) {
  auto replicas = co_await context.platform.replicas(id_in_path(context, request, params));
  if (!replicas) co_return Response::error(replicas.error());
  json::array names;
  for (const auto& replica : *replicas) names.emplace_back(replica.value());
  json::object out{{"names", std::move(names)}};
  co_return json_response(200, std::move(out));
}

Task<Response> get_logs(Context& context, Request& request, const PathParams& params) {
  auto wanted = log_request(request);
  if (!wanted) co_return Response::error(wanted.error());
  auto source = co_await context.platform.logs(id_in_path(context, request, params),
                                               params.as<platform::ReplicaName>("replica"), *wanted);
  if (!source) co_return Response::error(source.error());
  Response response = Response::text(200, "");
  response.body = std::move(*source);
  co_return response;
}

}  // namespace nuclio::dashboard
