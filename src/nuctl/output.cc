// SPDX-License-Identifier: Apache-2.0
#include "nuctl/output.h"

#include <boost/json.hpp>

#include "nuctl/function_client.h"
#include "schema/json.h"
#include "schema/yaml.h"

namespace nuclio::nuctl {

Result<Format> parse_format(std::string_view word) {
  if (word == "text") return Format::text;
  if (word == "wide") return Format::wide;
  if (word == "yaml") return Format::yaml;
  if (word == "json") return Format::json;
  if (word == "name") return Format::name;
  return fail(Why::invalid, "--output must be text, wide, yaml, json or name, is \"" + std::string(word) + "\"");
}

std::string print_objects(Format format, const std::vector<boost::json::object>& objects, bool one) {
  if (format == Format::json) {
    if (one && objects.size() == 1) return schema::to_pretty_json(objects.front());
    boost::json::array list;
    for (const auto& object : objects) list.push_back(object);
    return schema::to_pretty_json(list);
  }
  std::string out;
  for (const auto& object : objects) {
    if (format == Format::name) {
      out += text_at(object, "metadata.name") + "\n";
    } else {
      if (!out.empty()) out += "---\n";
      out += schema::to_yaml(object);
    }
  }
  return out;
}

}  // namespace nuclio::nuctl
