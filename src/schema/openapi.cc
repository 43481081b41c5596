// SPDX-License-Identifier: Apache-2.0
#include "schema/openapi.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace nuclio::schema {
namespace {

namespace json = boost::json;

constexpr const char* kKeepUnknown = "x-kubernetes-preserve-unknown-fields";

json::object described(const Type& type, const Meta& meta);

json::object simple(std::string_view type) { return {{"type", type}}; }
json::object anything() { return {{kKeepUnknown, true}}; }
json::object any_object() { return {{"type", "object"}, {"nullable", true}, {kKeepUnknown, true}}; }

json::object shape_of(const Boolean&) { return simple("boolean"); }
json::object shape_of(const Text&) { return simple("string"); }
json::object shape_of(const Duration&) { return simple("string"); }
json::object shape_of(const Number&) { return simple("number"); }
json::object shape_of(const Integer&) { return {{"type", "integer"}, {"format", "int64"}}; }

json::object shape_of(const Words& words) {
  json::object out = simple("string");
  json::array& names = out["enum"].emplace_array();
  // Go programs write the empty text for what is not set.
  if (std::ranges::find(words.names, "") == words.names.end()) names.emplace_back("");
  for (const std::string_view name : words.names) names.push_back(json::value(name));
  return out;
}

json::object shape_of(const Optional& optional) {
  json::object out = described(*optional.of, {});
  if (!out.contains("enum")) out["nullable"] = true;
  return out;
}

json::object shape_of(const List& list) {
  return {{"type", "array"}, {"nullable", true}, {"items", described(*list.of, {})}};
}

json::object shape_of(const Map& map) {
  return {{"type", "object"}, {"nullable", true}, {"additionalProperties", described(*map.of, {})}};
}

json::object shape_of(const Verbatim& verbatim) {
  switch (verbatim.shape) {
    case Verbatim::Shape::object: return any_object();
    case Verbatim::Shape::list: return {{"type", "array"}, {"nullable", true}, {"items", anything()}};
    case Verbatim::Shape::any: break;
  }
  return anything();
}

json::object shape_of(const Tagged&) { return simple("string"); }

json::object shape_of(const Object& object) {
  json::object out = any_object();
  // The reader takes the keys in any case, so none can be told apart here.
  if (object.ignore_case) return out;
  json::object properties;
  for (const TypedField& field : object.fields) {
    properties[field.name] = described(*field.type, field.meta);
    if (!field.content.empty()) properties[field.content] = any_object();
  }
  out["properties"] = std::move(properties);
  return out;
}

json::object described(const Type& type, const Meta& meta) {
  json::object out = std::visit([](const auto& shape) { return shape_of(shape); }, type.shape);
  if (meta.doc.empty()) return out;
  out["description"] = std::string(meta.doc) + (meta.inert ? " Has no effect yet." : "");
  return out;
}

}  // namespace

json::object openapi_schema(const Type& type) { return described(type, {}); }

}  // namespace nuclio::schema
