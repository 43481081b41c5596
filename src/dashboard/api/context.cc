// SPDX-License-Identifier: Apache-2.0
#include "dashboard/api/context.h"

#include <boost/json.hpp>

#include "schema/json.h"

namespace nuclio::dashboard {

namespace json = boost::json;

Result<json::object> body_object(const Request& request) {
  if (request.body.empty()) return fail(Why::invalid, "the request must have a body, a JSON object");
  auto value = schema::parse_json(request.body);
  if (!value) return std::unexpected(std::move(value).error().in("the request's body"));
  if (!value->is_object()) return fail(Why::invalid, "the request's body must be a JSON object");
  return std::move(value->get_object());
}

Result<json::object> member_object(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(json::string_view(name.data(), name.size()));
  if (!member || member->is_null()) return json::object{};
  if (!member->is_object()) return fail(Why::invalid, std::string(name) + " must be an object");
  return member->get_object();
}

std::string member_text(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(json::string_view(name.data(), name.size()));
  return member && member->is_string() ? std::string(member->get_string()) : std::string();
}

Result<std::string> name_of_both(std::string_view in_body, std::string_view in_path) {
  if (in_body.empty() && in_path.empty()) return fail(Why::invalid, "metadata.name must be set");
  if (in_body.empty() || in_path.empty() || in_body == in_path) return std::string(in_body.empty() ? in_path : in_body);
  return fail(Why::invalid, "metadata.name must be that of the path, \"" + std::string(in_path) + "\", is \"" +
                                std::string(in_body) + "\"");
}

Namespace namespace_of(const Context& context, const Request& request, std::string_view header) {
  std::string_view named = request.headers.get(header);
  return named.empty() ? context.namespace_name : Namespace{std::string(named)};
}

bool is_true(std::string_view text) { return http::same_ignoring_case(text, "true") || text == "1"; }

bool wants_export(const Request& request) { return is_true(http::query_param(request.query, "export").value_or("")); }

json::value with_all_parts(json::value object) {
  json::object& parts = object.as_object();
  for (const char* part : {"metadata", "spec", "status"}) parts.emplace(part, json::object{});
  parts["metadata"].as_object().emplace("annotations", json::object{});
  parts["spec"].as_object().emplace("description", "");
  return object;
}

Response json_response(int status, const json::value& value) { return Response::json(status, json::serialize(value)); }

}  // namespace nuclio::dashboard
