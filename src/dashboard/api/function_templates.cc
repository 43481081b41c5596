// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "dashboard/api/calls.h"
#include "dashboard/function_template.h"
#include "dashboard/function_templates.h"

namespace nuclio::dashboard {

namespace json = boost::json;

Task<Response> get_function_templates(Context& context, Request& request, const PathParams&) {
  const std::string_view word = request.headers.get("X-Nuclio-Filter-Contains");
  const FunctionTemplates::List templates = co_await context.templates.all();
  json::object out;
  for (const FunctionTemplate& each : *templates) {
    if (!mentions(each, word)) continue;
    json::object metadata{{"name", each.name}};
    out[each.name] = json::object{{"metadata", std::move(metadata)}, {"template", each.text}, {"values", each.values}};
  }
  co_return json_response(200, std::move(out));
}

Task<Response> render_function_template(Context&, Request& request, const PathParams&) {
  auto body = body_object(request);
  if (!body) co_return Response::error(body.error());
  const json::value* text = body->if_contains("template");
  if (!text || !text->is_string()) {
    Error error{Why::invalid, "template must be set, to the text of a function.yaml with {{ .name }} for open values"};
    co_return Response::error(error);
  }
  auto values = member_object(*body, "values");
  if (!values) co_return Response::error(values.error());
  auto function = render(text->get_string(), *values);
  if (!function) co_return Response::error(function.error());
  co_return json_response(200, std::move(*function));
}

}  // namespace nuclio::dashboard
