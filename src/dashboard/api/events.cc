// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "dashboard/api/calls.h"
#include "dashboard/events/hub.h"

namespace nuclio::dashboard {
namespace {

// "a,b" as {"a", "b"}.
std::set<std::string> names(const Request& request, std::string_view parameter) {
  std::set<std::string> out;
  const std::string text = http::query_param(request.query, parameter).value_or("");
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) out.insert(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

}  // namespace

// A page's EventSource can send no headers, so everything is in the query.
Task<Response> get_events(Context& context, Request& request, const PathParams&) {
  EventFilter filter{.name_space = context.namespace_name};
  if (auto name = http::query_param(request.query, "namespace"); name && !name->empty())
    filter.name_space = Namespace{*name};
  if (auto name = http::query_param(request.query, "project"); name && !name->empty()) filter.project.emplace(*name);
  filter.logs = names(request, "logs");
  filter.metrics = names(request, "metrics");
  if (filter.logs.size() <= EventLimits{}.logs) {
    for (const std::string& name : filter.logs) {
      platform::FunctionId id{filter.name_space, FunctionName{name}};
      auto function = co_await context.platform.function(std::move(id));
      if (!function) co_return Response::error(function.error());
    }
  }
  auto stream = context.events.open(std::move(filter), context.platform.sight());
  if (!stream) co_return Response::error(stream.error());
  Response response = Response::text(200, "", "text/event-stream");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Accel-Buffering", "no");  // nginx would wait for more
  response.body = std::move(*stream);
  co_return response;
}

}  // namespace nuclio::dashboard
