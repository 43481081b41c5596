// SPDX-License-Identifier: Apache-2.0
#include "spec/inline_config.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "schema/yaml.h"

namespace nuclio::spec {
namespace {

constexpr std::string_view kMark = "@nuclio.configure";
constexpr std::string_view kKey = "function.yaml";

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

bool is_comment(std::string_view line, std::string_view sign) { return trim(line).starts_with(sign); }

bool is_mark(std::string_view line, std::string_view sign) {
  return is_comment(line, sign) && trim(trim(line).substr(sign.size())) == kMark;
}

// The line with blanks in the place of the comment sign, so that columns stay what they are in the file.
std::string without_sign(std::string_view line, std::string_view sign) {
  std::string out{line};
  out.replace(line.find(sign), sign.size(), std::string(sign.size(), ' '));
  if (out.ends_with('\r')) out.pop_back();
  return out;
}

}  // namespace

Result<std::optional<boost::json::value>> find_inline_config(std::string_view source, std::string_view comment_sign) {
  std::string yaml;  // as many lines as the file had, so that errors name the file's lines
  std::size_t mark_line = 0;
  for (std::size_t line_number = 1; !source.empty(); ++line_number) {
    const std::size_t end = std::min(source.find('\n'), source.size());
    const std::string_view line = source.substr(0, end);
    source.remove_prefix(std::min(end + 1, source.size()));
    if (mark_line == 0) {
      if (is_mark(line, comment_sign)) mark_line = line_number;
      yaml += '\n';
      continue;
    }
    if (!is_comment(line, comment_sign)) break;
    yaml += without_sign(line, comment_sign);
    yaml += '\n';
  }
  if (mark_line == 0) return std::nullopt;
  const std::string where = "the @nuclio.configure block at line " + std::to_string(mark_line);
  auto block = schema::parse_yaml(yaml);
  if (!block) return fail(std::move(block).error().in(where));
  const auto* object = block->if_object();
  const auto* config =
      object == nullptr ? nullptr : object->if_contains(boost::json::string_view(kKey.data(), kKey.size()));
  if (config == nullptr)
    return fail(Why::invalid, where + " must have the key function.yaml: with the configuration below it");
  return *config;
}

}  // namespace nuclio::spec
