// SPDX-License-Identifier: Apache-2.0
#include "schema/set_path.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <span>
#include <vector>

#include "base/names.h"
#include "schema/read.h"
#include "schema/yaml.h"

namespace nuclio::schema {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostSteps = 64;

Result<std::vector<std::string>> split(std::string_view path) {
  std::vector<std::string> steps;
  const auto wrong = [whole = std::string(path)] {
    return fail(
        Why::invalid,
        "path must be fields separated by dots, such as spec.minReplicas or spec.env[0].name, is \"" + whole + "\"");
  };
  std::string_view rest = path;
  while (!rest.empty()) {
    if (steps.size() == kMostSteps) return wrong();
    if (rest.front() == '[') {
      const bool quoted = rest.starts_with("[\"");
      const std::size_t end = rest.find(quoted ? "\"]" : "]");
      if (end == std::string_view::npos) return wrong();
      const std::size_t skip = quoted ? 2 : 1;
      steps.emplace_back(rest.substr(skip, end - skip));
      rest.remove_prefix(end + skip);
    } else {
      const std::size_t end = std::min(rest.find_first_of(".["), rest.size());
      if (end == 0) return wrong();
      steps.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end);
    }
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      if (rest.empty()) return wrong();
    }
  }
  if (steps.empty()) return wrong();
  return steps;
}

const Type& without_optional(const Type& type) {
  const auto* optional = std::get_if<Optional>(&type.shape);
  return optional == nullptr ? type : *optional->of;
}

class Walk {
 public:
  explicit Walk(std::string_view path) : path_(path) {}

  // `at` is of the type, and `steps` lead on from it; what is missing on the way is made.
  Result<void> set(json::value& at, const Type& type, std::span<const std::string> steps, std::string_view text) {
    return std::visit([&](const auto& shape) { return set(at, shape, steps, text); }, without_optional(type).shape);
  }

 private:
  Result<void> set(json::value& at, const Object& object, std::span<const std::string> steps, std::string_view text) {
    if (steps.empty()) return put_yaml(at, text);
    TRY(json::object * members, object_at(at));
    std::vector<std::string_view> known;
    for (const TypedField& field : object.fields) {
      if (const auto* tagged = std::get_if<Tagged>(&field.type->shape)) {
        if (steps[0] == field.name) return put_text((*members)[field.name], steps.subspan(1), text);
        if (steps[0] == field.content) return set_content(*members, field, *tagged, steps.subspan(1), text);
        known.push_back(field.content);
      }
      known.push_back(field.name);
      const std::string& name = steps[0];
      if (name != field.name && (name.empty() || (name != field.meta.also && name != field.meta.deprecated))) continue;
      return set((*members)[field.name], *field.type, steps.subspan(1), text);
    }
    return fail(Why::invalid,
                path_ + " cannot be set: \"" + steps[0] + "\" is not a known field" + did_you_mean(steps[0], known));
  }

  // The fields of a tagged union's content are those of the kind that is there, or that of any kind when none is yet.
  Result<void> set_content(json::object& members, const TypedField& field, const Tagged& tagged,
                           std::span<const std::string> steps, std::string_view text) {
    const json::value* there = members.if_contains(field.name);
    // A copy, since setting the content moves the members.
    const std::string kind = there != nullptr && there->is_string() ? std::string(there->get_string()) : "";
    const auto is_kind = [&](const Alternative& alternative) {
      return kind.empty() || alternative.kind == kind ||
             std::ranges::find(alternative.aliases, kind) != alternative.aliases.end();
    };
    Result<void> result = fail(Why::invalid, path_ + " cannot be set: its kind is not known");
    for (const Alternative& alternative : tagged.alternatives) {
      if (!is_kind(alternative)) continue;
      json::value content = members[field.content];
      result = set(content, *alternative.type, steps, text);
      if (!result) continue;
      members[field.content] = std::move(content);
      return {};
    }
    return result;
  }

  Result<void> set(json::value& at, const Map& map, std::span<const std::string> steps, std::string_view text) {
    if (steps.empty()) return put_yaml(at, text);
    TRY(json::object * members, object_at(at));
    return set((*members)[steps[0]], *map.of, steps.subspan(1), text);
  }

  Result<void> set(json::value& at, const List& list, std::span<const std::string> steps, std::string_view text) {
    if (steps.empty()) return put_yaml(at, text);
    TRY(json::value * element, element_at(at, steps[0]));
    return set(*element, *list.of, steps.subspan(1), text);
  }

  // Of what is below, only its own owner knows the shape: digits after an existing list are an index, all else is a
  // key.
  Result<void> set(json::value& at, const Verbatim& verbatim, std::span<const std::string> steps,
                   std::string_view text) {
    if (steps.empty()) return put_yaml(at, text);
    const bool list = at.is_array() || (at.is_null() && verbatim.shape == Verbatim::Shape::list);
    const Verbatim below{.shape = Verbatim::Shape::any, .copy = nullptr, .set = nullptr};
    if (list) {
      TRY(json::value * element, element_at(at, steps[0]));
      return set(*element, below, steps.subspan(1), text);
    }
    TRY(json::object * members, object_at(at));
    return set((*members)[steps[0]], below, steps.subspan(1), text);
  }

  Result<void> set(json::value& at, const Text&, std::span<const std::string> steps, std::string_view text) {
    return put_text(at, steps, text);
  }
  Result<void> set(json::value& at, const Words&, std::span<const std::string> steps, std::string_view text) {
    return put_text(at, steps, text);
  }
  Result<void> set(json::value& at, const Duration&, std::span<const std::string> steps, std::string_view text) {
    return put_text(at, steps, text);
  }
  template <class Scalar>
  Result<void> set(json::value& at, const Scalar&, std::span<const std::string> steps, std::string_view text) {
    TRY_DO(no_more(steps));
    return put_yaml(at, text);
  }

  Result<void> put_text(json::value& at, std::span<const std::string> steps, std::string_view text) {
    TRY_DO(no_more(steps));
    at = json::string_view(text.data(), text.size());
    return {};
  }

  Result<void> put_yaml(json::value& at, std::string_view text) {
    auto value = parse_yaml(text);
    if (!value) return fail(std::move(value).error().in(path_));
    at = *std::move(value);
    return {};
  }

  Result<void> no_more(std::span<const std::string> steps) {
    if (steps.empty()) return {};
    return fail(Why::invalid, path_ + " cannot be set: there is no \"" + steps[0] + "\" within a single value");
  }

  Result<json::object*> object_at(json::value& at) {
    if (at.is_null()) at.emplace_object();
    if (at.is_object()) return &at.get_object();
    return fail(Why::invalid, path_ + " cannot be set: it leads through " + describe_value(at));
  }

  Result<json::value*> element_at(json::value& at, const std::string& step) {
    if (at.is_null()) at.emplace_array();
    if (!at.is_array()) return fail(Why::invalid, path_ + " cannot be set: it leads through " + describe_value(at));
    json::array& elements = at.get_array();
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
    if (error != std::errc{} || end != step.data() + step.size() || index > elements.size())
      return fail(Why::invalid, path_ + " cannot be set: \"" + step +
                                    "\" must be the number of a list element, at most " +
                                    std::to_string(elements.size()));
    if (index == elements.size()) elements.push_back(nullptr);
    return &elements[index];
  }

  std::string path_;
};

}  // namespace

Result<void> set_path(json::value& root, const Type& type, std::string_view path, std::string_view text) {
  TRY(const std::vector<std::string> steps, split(path));
  json::value changed = root;
  TRY_DO(Walk{path}.set(changed, type, steps, text));
  root = std::move(changed);
  return {};
}

}  // namespace nuclio::schema
