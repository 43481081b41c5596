// SPDX-License-Identifier: Apache-2.0
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "schema/reference.h"
#include "schema/write.h"

namespace nuclio::schema {
namespace {

namespace json = boost::json;

json::object schema_of(const Type& type, const Meta& meta);

json::object simple(std::string_view type) { return {{"type", type}}; }

json::object shape_schema(const Boolean&, const Meta&) { return simple("boolean"); }
json::object shape_schema(const Text&, const Meta&) { return simple("string"); }

json::object with_limits(json::object out, const Meta& meta) {
  if (meta.min) out["minimum"] = *meta.min;
  if (meta.max) out["maximum"] = *meta.max;
  return out;
}
json::object shape_schema(const Number&, const Meta& meta) { return with_limits(simple("number"), meta); }
json::object shape_schema(const Integer&, const Meta& meta) { return with_limits(simple("integer"), meta); }

json::object shape_schema(const Duration&, const Meta&) {
  return {{"type", "string"},
          {"pattern", "^$|^[+-]?(0|([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$"}};
}

json::object shape_schema(const Words& words, const Meta&) {
  json::object out = simple("string");
  json::array& names = out["enum"].emplace_array();
  for (const std::string_view name : words.names) names.push_back(json::value(name));
  return out;
}

json::object shape_schema(const Optional& optional, const Meta& meta) { return schema_of(*optional.of, meta); }

json::object shape_schema(const List& list, const Meta& meta) {
  json::object out = simple("array");
  out["items"] = schema_of(*list.of, {.min = meta.min, .max = meta.max});
  return out;
}

json::object shape_schema(const Map& map, const Meta& meta) {
  json::object out = simple("object");
  out["additionalProperties"] = schema_of(*map.of, {.min = meta.min, .max = meta.max});
  return out;
}

json::object shape_schema(const Verbatim& verbatim, const Meta&) {
  switch (verbatim.shape) {
    case Verbatim::Shape::object: return simple("object");
    case Verbatim::Shape::list: return simple("array");
    case Verbatim::Shape::any: break;
  }
  return {};
}

json::object shape_schema(const Tagged& tagged, const Meta&) {
  json::object out = simple("string");
  json::array& kinds = out["enum"].emplace_array();
  for (const Alternative& alternative : tagged.alternatives) {
    kinds.push_back(json::value(alternative.kind));
    for (const std::string_view alias : alternative.aliases) kinds.push_back(json::value(alias));
  }
  return out;
}

// The content of a tagged union depends on its tag: one if/then for each alternative.
void add_content(const TypedField& field, const Tagged& tagged, json::object& properties, json::array& all_of) {
  properties[field.content] = simple("object");
  for (const Alternative& alternative : tagged.alternatives) {
    json::array kinds{json::value(alternative.kind)};
    for (const std::string_view alias : alternative.aliases) kinds.push_back(json::value(alias));
    json::object condition{{"properties", json::object{{field.name, json::object{{"enum", std::move(kinds)}}}}}};
    json::object content{{"properties", json::object{{field.content, schema_of(*alternative.type, {})}}}};
    all_of.push_back(json::object{{"if", std::move(condition)}, {"then", std::move(content)}});
  }
}

json::object shape_schema(const Object& object, const Meta&) {
  json::object properties;
  json::array required;
  json::array all_of;
  for (const TypedField& field : object.fields) {
    json::object property = schema_of(*field.type, field.meta);
    const json::value normal = write(field.in(object.defaults), *field.type, Secrets::shown);
    const bool empty_text = normal.is_string() && normal.get_string().empty();
    if (!normal.is_null() && !normal.is_structured() && !empty_text) property["default"] = normal;
    if (field.meta.required || std::holds_alternative<Tagged>(field.type->shape))
      required.push_back(json::value(field.name));
    if (!field.meta.also.empty()) properties[field.meta.also] = property;
    if (!field.meta.deprecated.empty()) {
      properties[field.meta.deprecated] = property;
      properties[field.meta.deprecated].get_object()["deprecated"] = true;
    }
    properties[field.name] = std::move(property);
    if (const auto* tagged = std::get_if<Tagged>(&field.type->shape)) add_content(field, *tagged, properties, all_of);
  }
  json::object out = simple("object");
  out["properties"] = std::move(properties);
  if (!object.ignore_case) out["additionalProperties"] = false;
  if (!required.empty()) out["required"] = std::move(required);
  if (!all_of.empty()) out["allOf"] = std::move(all_of);
  return out;
}

json::object schema_of(const Type& type, const Meta& meta) {
  json::object out = std::visit([&](const auto& shape) { return shape_schema(shape, meta); }, type.shape);
  if (!meta.doc.empty()) {
    std::string description{meta.doc};
    if (!meta.only.empty()) description += " " + std::string(meta.only) + " only.";
    if (meta.inert) description += " Has no effect yet.";
    out["description"] = description;
  }
  if (meta.secret) out["writeOnly"] = true;
  return out;
}

}  // namespace

json::value json_schema(const Type& type, std::string_view title) {
  json::object out{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  for (auto& [key, value] : schema_of(type, {})) out[key] = std::move(value);
  return out;
}

}  // namespace nuclio::schema
