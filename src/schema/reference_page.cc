// SPDX-License-Identifier: Apache-2.0
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "schema/number.h"
#include "schema/reference.h"
#include "schema/write.h"

namespace nuclio::schema {
namespace {

namespace json = boost::json;

std::string type_name(const Type& type);

std::string shape_name(const Boolean&) { return "true or false"; }
std::string shape_name(const Text&) { return "text"; }
std::string shape_name(const Number&) { return "number"; }
std::string shape_name(const Duration&) { return "duration"; }
std::string shape_name(const Integer&) { return "whole number"; }
std::string shape_name(const Optional& optional) { return type_name(*optional.of); }
std::string shape_name(const List& list) { return "list of " + type_name(*list.of); }
std::string shape_name(const Map& map) { return "map of " + type_name(*map.of); }
std::string shape_name(const Object&) { return "object"; }
std::string shape_name(const Verbatim& verbatim) {
  switch (verbatim.shape) {
    case Verbatim::Shape::object: return "object";
    case Verbatim::Shape::list: return "list";
    case Verbatim::Shape::any: break;
  }
  return "anything";
}

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string shape_name(const Words& words) {
  std::string out;
  for (const std::string_view name : words.names) {
    if (name.empty()) continue;
    if (!out.empty()) out += ", ";
    out += code(name);
  }
  return out;
}

std::string shape_name(const Tagged& tagged) {
  std::string out;
  for (const Alternative& alternative : tagged.alternatives) {
    if (!out.empty()) out += ", ";
    out += code(alternative.kind);
    for (const std::string_view alias : alternative.aliases) out += " (also " + code(alias) + ")";
  }
  return out;
}

std::string type_name(const Type& type) {
  return std::visit([](const auto& shape) { return shape_name(shape); }, type.shape);
}

std::string default_of(const Object& object, const TypedField& field) {
  if (std::holds_alternative<Tagged>(field.type->shape)) return {};
  const json::value value = write(field.in(object.defaults), *field.type, Secrets::shown);
  if (value.is_null() || value.is_object()) return {};
  if (value.is_array() && value.get_array().empty()) return {};
  if (value.is_string()) return value.get_string().empty() ? "" : code(std::string_view(value.get_string()));
  return code(value.is_number() ? number_text(value) : json::serialize(value));
}

std::string limits_of(const Meta& meta) {
  if (meta.min && meta.max) return " From " + std::to_string(*meta.min) + " to " + std::to_string(*meta.max) + ".";
  if (meta.min) return " At least " + std::to_string(*meta.min) + ".";
  if (meta.max) return " At most " + std::to_string(*meta.max) + ".";
  return {};
}

std::string meaning_of(const Meta& meta) {
  std::string out{meta.doc};
  out += limits_of(meta);
  if (meta.required) out += " Required.";
  if (meta.secret) out += " Secret.";
  if (!meta.also.empty()) out += " Also read as " + code(meta.also) + ".";
  if (!meta.deprecated.empty()) out += " Old name: " + code(meta.deprecated) + ".";
  if (!meta.only.empty()) out += " " + std::string(meta.only) + " only.";
  if (meta.inert) out += " **Has no effect yet.**";
  return out;
}

class Page {
 public:
  explicit Page(std::string text) : text_(std::move(text)) {}

  std::string take() { return std::move(text_); }

  void table(const Object& object, const std::string& path) {
    text_ += "| field | type | default | meaning |\n| --- | --- | --- | --- |\n";
    for (const TypedField& field : object.fields)
      text_ += "| " + code(join(path, field.name)) + " | " + type_name(*field.type) + " | " +
               default_of(object, field) + " | " + meaning_of(field.meta) + " |\n";
    text_ += '\n';
    for (const TypedField& field : object.fields) below(*field.type, path, field);
  }

 private:
  void below(const Type& type, const std::string& path, const TypedField& field) {
    if (const auto* tagged = std::get_if<Tagged>(&type.shape)) return alternatives(*tagged, path, field);
    section(type, join(path, field.name), field.meta.doc);
  }

  void section(const Type& type, const std::string& path, std::string_view doc) {
    if (const auto* object = std::get_if<Object>(&type.shape)) {
      text_ += "## " + code(path) + "\n\n" + std::string(doc) + "\n\n";
      table(*object, path);
    } else if (const auto* optional = std::get_if<Optional>(&type.shape)) {
      section(*optional->of, path, doc);
    } else if (const auto* list = std::get_if<List>(&type.shape)) {
      section(*list->of, path + "[]", doc);
    } else if (const auto* map = std::get_if<Map>(&type.shape)) {
      section(*map->of, path + ".NAME", doc);
    }
  }

  void alternatives(const Tagged& tagged, const std::string& path, const TypedField& field) {
    for (const Alternative& alternative : tagged.alternatives) {
      text_ += "## " + code(path) + " of kind " + code(alternative.kind) + "\n\n";
      if (alternative.inert)
        text_ += "**Has no effect yet:** such a trigger is read and kept, and no events come from it.\n\n";
      table(std::get<Object>(alternative.type->shape), join(path, field.content));
    }
  }

  std::string text_;
};

}  // namespace

std::string reference_page(const Type& type, std::string_view title, std::string_view introduction) {
  Page page("# " + std::string(title) + "\n\n" + std::string(introduction) + "\n\n");
  page.table(std::get<Object>(type.shape), "");
  std::string text = page.take();
  text.pop_back();  // of the two line breaks after the last table
  return text;
}

}  // namespace nuclio::schema
