// SPDX-License-Identifier: Apache-2.0
#include "dashboard/function_template.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <charconv>

#include "base/base64.h"
#include "base/check.h"
#include "dashboard/gallery_files.h"
#include "schema/yaml.h"
#include "spec/function.h"
#include "spec/load.h"

namespace nuclio::dashboard {
namespace {

namespace json = boost::json;

// What stands in the YAML for a value until the YAML is read: U+E000 and U+E001, which are nobody's characters, around
// the value's number.
constexpr std::string_view kBegin = "\xEE\x80\x80";
constexpr std::string_view kEnd = "\xEE\x80\x81";
// More than any template has, and few enough that putting them in takes no time to speak of.
constexpr std::size_t kMostValues = 1000;

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

// Boost's reader takes nothing else.
bool is_unicode(std::string_view text) {
  boost::system::error_code error;
  (void)json::parse(json::serialize(view(text)), error);
  return !error;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// The names in a template, and its text with marks in their place.
struct Marked {
  std::string text;
  std::vector<std::string_view> names;
};
Result<Marked> mark(std::string_view text) {
  Marked out;
  for (;;) {
    const std::size_t begin = text.find("{{");
    out.text += text.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    text.remove_prefix(begin + 2);
    const std::size_t end = text.find("}}");
    const std::string_view action = trimmed(text.substr(0, end));
    if (end == std::string_view::npos || !action.starts_with('.') || !is_name(action.substr(1)))
      return fail(Why::invalid, "in the template, {{ must be followed by a name and }}, as in {{ .name }}, not by \"" +
                                    std::string(action.substr(0, 100)) + "\"");
    if (out.names.size() == kMostValues)
      return fail(Why::invalid, "the template must have at most " + std::to_string(kMostValues) + " places for values");
    out.text += kBegin;
    out.text += std::to_string(out.names.size());
    out.text += kEnd;
    out.names.push_back(action.substr(1));
    text.remove_prefix(end + 2);
  }
}

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

// Puts values in where the marks are.
class Filling {
 public:
  explicit Filling(std::vector<const json::value*> values) : values_(std::move(values)) {
    for (const json::value* value : values_) texts_.push_back(text_of(*value));
  }

  Result<void> fill(json::value& value) {
    if (value.is_string()) {
      TRY(value, filled(value.get_string()));
    } else if (value.is_array()) {
      for (json::value& item : value.get_array()) TRY_DO(fill(item));
    } else if (value.is_object()) {
      json::object out;
      for (auto& [key, member] : value.get_object()) {
        TRY_DO(fill(member));
        TRY(const json::value name, filled(key));
        out[text_of(name)] = std::move(member);
      }
      value = std::move(out);
    }
    return {};
  }

 private:
  Result<json::value> filled(std::string_view text) {
    std::string out;
    for (;;) {
      const std::size_t begin = text.find(kBegin);
      out += text.substr(0, begin);
      if (begin == std::string_view::npos) return json::value(out);
      const std::string_view behind = text.substr(begin + kBegin.size());
      std::size_t number = 0;
      const auto [end, error] = std::from_chars(behind.data(), behind.data() + behind.size(), number);
      const auto digits = static_cast<std::size_t>(end - behind.data());
      // YAML can spell these characters, too: what is no mark of ours stays.
      if (error != std::errc{} || number >= values_.size() || !behind.substr(digits).starts_with(kEnd)) {
        out += kBegin;
        text = behind;
        continue;
      }
      const std::string& filler = texts_[number];
      if (filler.size() > room_)
        return fail(Why::too_large, "the rendered template must have at most 8 MiB; its values are too long");
      room_ -= filler.size();
      const std::string_view rest = behind.substr(digits + kEnd.size());
      if (out.empty() && rest.empty()) return *values_[number];
      out += filler;
      text = rest;
    }
  }

  std::vector<const json::value*> values_;
  std::vector<std::string> texts_;
  std::size_t room_ = 8 << 20;
};

FunctionTemplate template_of(std::string_view name, std::span<const GalleryFile> files) {
  std::string_view text;
  std::string_view values;
  std::optional<std::string_view> code;
  for (const GalleryFile& file : files) {
    const std::string_view base = file.path.substr(name.size() + 1);
    if (base == "function.yaml.template") {
      text = file.text;
    } else if (base == "function.yaml.values") {
      values = file.text;
    } else {
      CHECK(!code);
      code = file.text;
    }
  }
  auto made = make_template(std::string(name), text, values, code);
  CHECK(made && code);
  return std::move(*made);
}

std::vector<FunctionTemplate> read_gallery() {
  std::vector<FunctionTemplate> out;
  std::span<const GalleryFile> files = gallery_files();
  while (!files.empty()) {
    const std::string_view name = files[0].path.substr(0, files[0].path.find('/'));
    const auto other = std::ranges::find_if(
        files, [&](const GalleryFile& file) { return file.path.substr(0, file.path.find('/')) != name; });
    const auto count = static_cast<std::size_t>(other - files.begin());
    out.push_back(template_of(name, files.first(count)));
    files = files.subspan(count);
  }
  return out;
}

}  // namespace

const std::vector<FunctionTemplate>& gallery() {
  static const std::vector<FunctionTemplate> templates = read_gallery();
  return templates;
}

Result<FunctionTemplate> make_template(std::string name, std::string_view text, std::string_view values,
                                       std::optional<std::string_view> code) {
  if (!is_unicode(name) || !is_unicode(text)) return fail(Why::invalid, "its name and its text must be UTF-8");
  FunctionTemplate out{.name = std::move(name), .text = std::string(text), .values = {}};
  auto parsed = schema::parse_yaml(values);
  if (!parsed) return std::unexpected(std::move(parsed).error().in("function.yaml.values"));
  if (parsed->is_object()) {
    out.values = std::move(parsed->get_object());
  } else if (!parsed->is_null()) {
    return fail(Why::invalid, "function.yaml.values must have a value for each name");
  }
  for (const std::string_view mark : {"{{ .SourceCode }}", "{{.SourceCode}}"}) {
    const std::size_t at = out.text.find(mark);
    if (at == std::string::npos) continue;
    if (!code) return fail(Why::invalid, "must have a source file, which its template asks for");
    out.text.replace(at, mark.size(), encode_base64(*code));
    break;
  }
  return out;
}

Result<json::object> render(std::string_view text, const json::object& values) {
  for (const std::string_view mark : {kBegin, kEnd})
    if (text.find(mark) != std::string_view::npos)
      return fail(Why::invalid, "the template must not hold the characters U+E000 and U+E001");
  TRY(const Marked marked, mark(text));
  std::vector<const json::value*> found;
  found.reserve(marked.names.size());
  for (const std::string_view name : marked.names) {
    found.push_back(values.if_contains(view(name)));
    if (!found.back() || found.back()->is_null())
      return fail(Why::invalid, "values must have \"" + std::string(name) + "\", which the template asks for");
  }
  auto document = schema::parse_yaml(marked.text);
  if (!document) return std::unexpected(std::move(document).error().in("the template"));
  TRY_DO(Filling{std::move(found)}.fill(*document));
  auto function = spec::read_function(*document, spec::Unknown::problem, spec::Scalars::as_in_yaml);
  if (!function) return std::unexpected(std::move(function).error().in("the rendered template"));
  function->config.status = {};
  json::value out = spec::to_json(function->config, spec::Secrets::shown);
  for (const char* part : {"metadata", "spec"}) out.get_object().emplace(part, json::object{});
  return std::move(out.get_object());
}

bool mentions(const FunctionTemplate& function, std::string_view word) {
  if (word.empty() || word == "*") return true;
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  return !std::ranges::search(function.name, word, same).empty() ||
         !std::ranges::search(function.text, word, same).empty();
}

}  // namespace nuclio::dashboard
