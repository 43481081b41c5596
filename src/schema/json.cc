// SPDX-License-Identifier: Apache-2.0
#include "schema/json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>

#include "schema/number.h"
#include "schema/text_position.h"

namespace nuclio::schema {
namespace {

namespace json = boost::json;

void pretty(const json::value& value, std::size_t depth, std::string& out) {
  const std::string indent(2 * (depth + 1), ' ');
  const std::string outer(2 * depth, ' ');
  if (value.is_object() && !value.get_object().empty()) {
    std::string_view separator = "{\n";
    for (const auto& [key, member] : value.get_object()) {
      out.append(separator).append(indent).append(json::serialize(json::value(key))).append(": ");
      pretty(member, depth + 1, out);
      separator = ",\n";
    }
    out.append("\n").append(outer).append("}");
  } else if (value.is_array() && !value.get_array().empty()) {
    std::string_view separator = "[\n";
    for (const json::value& element : value.get_array()) {
      out.append(separator).append(indent);
      pretty(element, depth + 1, out);
      separator = ",\n";
    }
    out.append("\n").append(outer).append("]");
  } else {
    out += value.is_number() ? number_text(value) : json::serialize(value);
  }
}

}  // namespace

Result<json::value> parse_json(std::string_view text) {
  if (text.size() > kLargestDocument.count)
    return fail(Why::too_large, "JSON document must have at most 8 MiB, has " + std::to_string(text.size()) + " bytes");
  json::parse_options options;
  options.max_depth = kDeepestDocument;
  json::stream_parser parser({}, options);
  json::error_code error;
  const std::size_t consumed = parser.write_some(text.data(), text.size(), error);
  if (!error && consumed < text.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (error) return fail(Why::invalid, "JSON is not valid at " + position(text, consumed) + ": " + error.message());
  return parser.release();
}

std::string to_pretty_json(const json::value& value) {
  std::string out;
  pretty(value, 0, out);
  return out += '\n';
}

}  // namespace nuclio::schema
