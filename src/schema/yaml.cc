// SPDX-License-Identifier: Apache-2.0
#include "schema/yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "schema/number.h"
#include "schema/text_position.h"
#include "schema/yaml_scalar.h"

namespace nuclio::schema {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostValues =
    200'000;  // an alias costs a few bytes of text and can stand for thousands of values

std::string where(const YAML::Mark& mark) {
  return position(static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1);
}

class Converter {
 public:
  Result<json::value> convert(const YAML::Node& node, std::size_t depth) {
    if (depth > kDeepestDocument) return fail(Why::too_large, "YAML is nested deeper than 64 at " + where(node.Mark()));
    if (++values_ > kMostValues)
      return fail(Why::too_large,
                  "YAML holds more than 200000 values at " + where(node.Mark()) + "; are aliases nested?");
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null: return json::value(nullptr);
      case YAML::NodeType::Scalar: return scalar(node);
      case YAML::NodeType::Sequence: return sequence(node, depth);
      case YAML::NodeType::Map: break;
    }
    json::object out;
    TRY_DO(map(node, depth, out));
    return out;
  }

 private:
  static Result<json::value> scalar(const YAML::Node& node) {
    const bool text = node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str";
    return text ? json::value(node.Scalar()) : plain_scalar(node.Scalar());
  }

  Result<json::value> sequence(const YAML::Node& node, std::size_t depth) {
    json::array out;
    for (const YAML::Node& element : node) {
      TRY(json::value value, convert(element, depth + 1));
      out.push_back(std::move(value));
    }
    return out;
  }

  Result<void> map(const YAML::Node& node, std::size_t depth, json::object& out) {
    std::vector<YAML::Node> merged;
    for (const auto& member : node) {
      if (!member.first.IsScalar())
        return fail(Why::invalid, "YAML has a key that is no text at " + where(member.first.Mark()));
      const std::string& key = member.first.Scalar();
      if (key == "<<" && member.first.Tag() != "!") {
        merged.push_back(member.second);
        continue;
      }
      if (out.contains(key))
        return fail(Why::invalid, "YAML has the key \"" + key + "\" twice, again at " + where(member.first.Mark()));
      TRY(json::value value, convert(member.second, depth + 1));
      out[key] = std::move(value);
    }
    // A map's own keys win over those that a merge key brings, and an earlier one of several wins over a later one.
    for (const YAML::Node& from : merged) TRY_DO(merge(from, depth, out));
    return {};
  }

  Result<void> merge(const YAML::Node& from, std::size_t depth, json::object& out) {
    if (!from.IsMap() && !from.IsSequence())
      return fail(Why::invalid, "YAML has a merge key << that names no map at " + where(from.Mark()));
    TRY(json::value converted, convert(from, depth + 1));
    json::array one;
    if (converted.is_object()) one.push_back(std::move(converted));
    for (const json::value& source : converted.is_array() ? converted.get_array() : one) {
      if (!source.is_object())
        return fail(Why::invalid, "YAML has a merge key << that names no map at " + where(from.Mark()));
      for (const auto& [key, value] : source.get_object()) out.emplace(key, value);
    }
    return {};
  }

  std::size_t values_ = 0;
};

// Literal style keeps source code readable; the conditions are those under which every reader gives the same text back.
bool is_literal_text(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\t' || text.front() == '\n')
    return false;
  if (text.ends_with("\n\n")) return false;
  return std::ranges::all_of(text, [](unsigned char c) { return c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f); });
}

void append_text(std::string_view text, const std::string& indent, std::string& out) {
  if (is_plain_text(text)) {
    out.append(text);
  } else if (is_literal_text(text) && !indent.empty()) {
    out += text.ends_with('\n') ? "|" : "|-";
    if (text.ends_with('\n')) text.remove_suffix(1);
    while (true) {
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      out += '\n';
      if (!line.empty()) out.append(indent).append(line);
      if (end == std::string_view::npos) break;
      text.remove_prefix(end + 1);
    }
  } else {
    out += json::serialize(json::string_view(text.data(), text.size()));
  }
}

// Writes after "key:" or "-"; `indent` is that of the lines that follow.
void append(const json::value& value, const std::string& indent, std::string& out);

void append_map(const json::object& object, const std::string& indent, bool first_in_line, std::string& out) {
  for (const auto& [key, value] : object) {
    if (!first_in_line) out.append("\n").append(indent);
    first_in_line = false;
    append_text(std::string_view(key.data(), key.size()), "", out);
    out += ':';
    append(value, indent, out);
  }
}

void append_list(const json::array& array, const std::string& indent, bool first_in_line, std::string& out) {
  for (const json::value& element : array) {
    if (!first_in_line) out.append("\n").append(indent);
    first_in_line = false;
    out += '-';
    if (element.is_object() && !element.get_object().empty()) {
      out += ' ';
      append_map(element.get_object(), indent + "  ", true, out);
    } else if (element.is_array() && !element.get_array().empty()) {
      out += ' ';
      append_list(element.get_array(), indent + "  ", true, out);
    } else {
      append(element, indent, out);
    }
  }
}

void append(const json::value& value, const std::string& indent, std::string& out) {
  if (value.is_object() && !value.get_object().empty())
    return append_map(value.get_object(), indent + "  ", false, out);
  if (value.is_array() && !value.get_array().empty()) return append_list(value.get_array(), indent, false, out);
  out += ' ';
  if (value.is_string()) return append_text(std::string_view(value.get_string()), indent + "  ", out);
  out += value.is_number() ? number_text(value) : json::serialize(value);
}

}  // namespace

Result<json::value> parse_yaml(std::string_view text) {
  if (text.size() > kLargestDocument.count)
    return fail(Why::too_large, "YAML document must have at most 8 MiB, has " + std::to_string(text.size()) + " bytes");
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.empty()) return json::value(nullptr);
    if (documents.size() > 1)
      return fail(Why::invalid, "YAML must hold one document, holds " + std::to_string(documents.size()));
    return Converter{}.convert(documents.front(), 0);
  } catch (const YAML::Exception& error) {
    return fail(Why::invalid, "YAML is not valid at " + where(error.mark) + ": " + error.msg);
  }
}

std::string to_yaml(const json::value& value) {
  std::string out;
  if (value.is_object() && !value.get_object().empty())
    append_map(value.get_object(), "", true, out);
  else if (value.is_array() && !value.get_array().empty())
    append_list(value.get_array(), "", true, out);
  else
    out = json::serialize(value);
  return out += '\n';
}

}  // namespace nuclio::schema
