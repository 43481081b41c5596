// SPDX-License-Identifier: Apache-2.0
#include "schema/document.h"

#include "schema/json.h"
#include "schema/yaml.h"

namespace nuclio::schema {

Result<Document> parse_document(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark, which some editors leave behind
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  const bool like_json = begin != std::string_view::npos && (text[begin] == '{' || text[begin] == '[');
  if (like_json) {
    auto value = parse_json(text);
    if (value) return Document{*std::move(value), Scalars::exact};
    // Flow style YAML begins the same way. When it is neither, JSON's error is the one that helps.
    auto flow = parse_yaml(text);
    if (!flow) return fail(std::move(value).error());
    return Document{*std::move(flow), Scalars::as_in_yaml};
  }
  TRY(boost::json::value value, parse_yaml(text));
  return Document{std::move(value), Scalars::as_in_yaml};
}

}  // namespace nuclio::schema
