// SPDX-License-Identifier: Apache-2.0
#include "k8s/json.h"

#include <boost/json.hpp>

namespace nuclio::k8s {
namespace {

namespace json = boost::json;

// A schema within a CRD is the deepest that is seen; two levels of JSON are one of a schema.
constexpr std::size_t kDeepest = 200;

}  // namespace

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = kDeepest;
  json::error_code error;
  json::value value = json::parse(text, error, {}, options);
  if (error) return fail(Why::unavailable, "what the server said is not valid JSON: " + error.message());
  return value;
}

Result<json::object> parse_object(std::string_view text) {
  TRY(json::value value, parse_json(text));
  if (!value.is_object()) return fail(Why::unavailable, "what the server said is not a JSON object");
  return std::move(value.get_object());
}

std::string_view text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

std::int64_t number_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_int64() ? value->get_int64() : 0;
}

const json::object* object_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value ? value->if_object() : nullptr;
}

json::object& object_in(json::object& object, std::string_view key) {
  json::value& value = object[key];
  if (!value.is_object()) value.emplace_object();
  return value.get_object();
}

}  // namespace nuclio::k8s
