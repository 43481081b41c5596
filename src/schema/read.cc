// SPDX-License-Identifier: Apache-2.0
#include "schema/read.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cmath>

#include "base/duration.h"
#include "base/names.h"
#include "schema/number.h"
#include "schema/write.h"

namespace nuclio::schema {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestQuote = 60;
constexpr std::size_t kMostProblems = 100;  // a file that is not what it should be would otherwise fill the screen

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }
std::string_view view(json::string_view text) { return {text.data(), text.size()}; }

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : int{c}; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<bool> yaml_boolean(std::string_view text) {
  for (const std::string_view word : {"yes", "on", "y"})
    if (same_ignoring_case(text, word)) return true;
  for (const std::string_view word : {"no", "off", "n"})
    if (same_ignoring_case(text, word)) return false;
  return std::nullopt;
}

// The member of a JSON object that a field's name means.
struct Found {
  std::string_view key;
  const json::value* value = nullptr;
};

class Reader {
 public:
  explicit Reader(const ReadOptions& options) : options_(options) {}

  Report take() { return std::move(report_); }

  void read(const json::value& in, void* out, const Type& type, const std::string& path, const Meta& meta) {
    std::visit([&](const auto& shape) { read(in, out, shape, path, meta); }, type.shape);
  }

 private:
  void problem(const std::string& path, std::string message) {
    if (report_.problems.size() < kMostProblems) report_.problems.push_back({path, std::move(message)});
  }
  void warning(const std::string& path, std::string message) {
    if (report_.warnings.size() < kMostProblems) report_.warnings.push_back({path, std::move(message)});
  }
  void mismatch(const json::value& in, const std::string& path, const Meta& meta, std::string_view expected) {
    problem(path, "must be " + std::string(expected) + (meta.secret ? std::string{} : ", is " + describe_value(in)));
  }

  void read(const json::value& in, void* out, const Boolean&, const std::string& path, const Meta& meta) {
    if (in.is_bool()) {
      *static_cast<bool*>(out) = in.get_bool();
      return;
    }
    if (options_.scalars == Scalars::as_in_yaml && in.is_string()) {
      if (const auto value = yaml_boolean(view(in.get_string()))) {
        *static_cast<bool*>(out) = *value;
        return;
      }
    }
    mismatch(in, path, meta, "true or false");
  }

  void read(const json::value& in, void* out, const Text&, const std::string& path, const Meta& meta) {
    auto& text = *static_cast<std::string*>(out);
    if (in.is_string()) {
      text = view(in.get_string());
    } else if (options_.scalars == Scalars::as_in_yaml && (in.is_number() || in.is_bool())) {
      text = in.is_bool() ? (in.get_bool() ? "true" : "false") : number_text(in);
    } else {
      mismatch(in, path, meta, "text");
    }
  }

  void read(const json::value& in, void* out, const Number&, const std::string& path, const Meta& meta) {
    if (!in.is_number()) return mismatch(in, path, meta, "a number");
    const auto value = in.to_number<double>();
    if (out_of_range(value, number_text(in), path, meta)) return;
    *static_cast<double*>(out) = value;
  }

  void read(const json::value& in, void* out, const Duration&, const std::string& path, const Meta& meta) {
    if (!in.is_string() && in != json::value(0))
      return mismatch(in, path, meta, "a duration such as 500ms, 10s or 1h30m");
    const auto parsed = in.is_string() ? parse_duration(view(in.get_string())) : std::chrono::nanoseconds{0};
    if (!parsed) return problem(path, parsed.error().what);
    *static_cast<std::chrono::nanoseconds*>(out) = *parsed;
  }

  void read(const json::value& in, void* out, const Integer& integer, const std::string& path, const Meta& meta) {
    const auto value = whole(in);
    if (!value) return mismatch(in, path, meta, "a whole number");
    const Meta limits{.min = std::max(meta.min.value_or(integer.lowest), integer.lowest),
                      .max = std::min(meta.max.value_or(integer.highest), integer.highest)};
    if (out_of_range(*value, std::to_string(*value), path, limits)) return;
    integer.set(out, *value);
  }

  static std::optional<std::int64_t> whole(const json::value& in) {
    if (in.is_int64()) return in.get_int64();
    if (!in.is_double()) return std::nullopt;
    const double value = in.get_double();
    // Beyond 2^53 a double is no exact count any more.
    if (std::trunc(value) != value || std::abs(value) > 9007199254740992.0) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }

  template <class N>
  bool out_of_range(N value, const std::string& shown, const std::string& path, const Meta& meta) {
    if (meta.min && value < static_cast<N>(*meta.min))
      return problem(path, "must be at least " + std::to_string(*meta.min) + ", is " + shown), true;
    if (meta.max && value > static_cast<N>(*meta.max))
      return problem(path, "must be at most " + std::to_string(*meta.max) + ", is " + shown), true;
    return false;
  }

  void read(const json::value& in, void* out, const Words& words, const std::string& path, const Meta& meta) {
    const std::string expected = one_of(words.names);
    if (!in.is_string()) return mismatch(in, path, meta, expected);
    const std::string_view text = view(in.get_string());
    const auto found = std::ranges::find(words.names, text);
    if (found == words.names.end())
      return problem(path, "must be " + expected + ", is " + describe_value(in) + did_you_mean(text, words.names));
    words.set(out, static_cast<std::size_t>(found - words.names.begin()));
  }

  static std::string one_of(const std::vector<std::string_view>& names) {
    std::string text = "one of ";
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
      text.append(names[i].empty() ? "\"\"" : names[i]);
    }
    return text;
  }

  void read(const json::value& in, void* out, const Optional& optional, const std::string& path, const Meta& meta) {
    if (in.is_null()) return optional.reset(out);
    const std::size_t before = report_.problems.size();
    read(in, optional.emplace(out), *optional.of, path, meta);
    if (report_.problems.size() != before && !std::holds_alternative<Object>(optional.of->shape)) optional.reset(out);
  }

  void read(const json::value& in, void* out, const List& list, const std::string& path, const Meta& meta) {
    if (!in.is_array()) return mismatch(in, path, meta, "a list");
    list.clear(out);
    std::size_t index = 0;
    for (const json::value& element : in.get_array())
      read(element, list.append(out), *list.of, path + "[" + std::to_string(index++) + "]", element_meta(meta));
  }

  void read(const json::value& in, void* out, const Map& map, const std::string& path, const Meta& meta) {
    if (!in.is_object()) return mismatch(in, path, meta, "an object");
    map.clear(out);
    for (const auto& [key, value] : in.get_object()) {
      const std::string_view name = view(key);
      read(value, map.insert(out, std::string(name)), *map.of, join(path, name), element_meta(meta));
    }
  }

  // What holds for a field's elements of what was said about the field.
  static Meta element_meta(const Meta& meta) { return {.min = meta.min, .max = meta.max, .secret = meta.secret}; }

  void read(const json::value& in, void* out, const Verbatim& verbatim, const std::string& path, const Meta& meta) {
    if (verbatim.shape == Verbatim::Shape::object && !in.is_object()) return mismatch(in, path, meta, "an object");
    if (verbatim.shape == Verbatim::Shape::list && !in.is_array()) return mismatch(in, path, meta, "a list");
    verbatim.set(out, in);
  }

  void read(const json::value& in, void* out, const Object& object, const std::string& path, const Meta& meta) {
    if (!in.is_object()) return mismatch(in, path, meta, path.empty() ? "an object with fields" : "an object");
    const json::object& from = in.get_object();
    std::vector<std::string_view> known;
    std::vector<std::string_view> read_keys;
    for (const TypedField& field : object.fields) {
      if (std::holds_alternative<Tagged>(field.type->shape)) {
        read_tagged(from, out, field, path, read_keys);
        known.push_back(field.content);
      } else {
        read_field(from, out, object, field, path, read_keys);
      }
      known.push_back(field.name);
    }
    for (const auto& member : from) {
      const std::string_view key = view(member.key());
      if (std::ranges::find(read_keys, key) != read_keys.end()) continue;
      std::string message = "is not a known field" + did_you_mean(key, known);
      if (options_.unknown == Unknown::problem)
        problem(join(path, key), std::move(message));
      else
        warning(join(path, key), std::move(message));
    }
  }

  void read_field(const json::object& from, void* out, const Object& object, const TypedField& field,
                  const std::string& path, std::vector<std::string_view>& read_keys) {
    Found found = find(from, field.name, object.ignore_case);
    for (const std::string_view other : {field.meta.also, field.meta.deprecated}) {
      if (other.empty()) continue;
      const Found under_other = find(from, other, object.ignore_case);
      if (under_other.value == nullptr) continue;
      read_keys.push_back(under_other.key);
      if (other == field.meta.deprecated && !under_other.value->is_null())
        warning(join(path, under_other.key), "is an old name; use " + std::string(field.name));
      if (found.value == nullptr) found = under_other;
    }
    const std::string where = join(path, found.value == nullptr ? field.name : found.key);
    if (found.value != nullptr) read_keys.push_back(found.key);
    const bool empty = found.value == nullptr || found.value->is_null() || *found.value == json::value("");
    if (empty && field.meta.required) return problem(where, "is required");
    if (found.value == nullptr || is_unset(*found.value, *field.type)) return;
    read(*found.value, field.in(out), *field.type, where, field.meta);
    if (field.meta.inert && write(field.in(out), *field.type, Secrets::shown) !=
                                write(field.in(object.defaults), *field.type, Secrets::shown))
      warning(where, "has no effect yet");
  }

  void read_tagged(const json::object& from, void* out, const TypedField& field, const std::string& path,
                   std::vector<std::string_view>& read_keys) {
    const Found tag = find(from, field.name, false);
    const Found content = find(from, field.content, false);
    if (tag.value != nullptr) read_keys.push_back(tag.key);
    if (content.value != nullptr) read_keys.push_back(content.key);
    const std::string where = join(path, field.name);
    const auto& tagged = std::get<Tagged>(field.type->shape);
    std::vector<std::string_view> kinds;
    for (const Alternative& alternative : tagged.alternatives) kinds.push_back(alternative.kind);
    if (tag.value == nullptr || tag.value->is_null()) return problem(where, "is required; it is " + one_of(kinds));
    if (!tag.value->is_string()) return mismatch(*tag.value, where, field.meta, one_of(kinds));
    const std::string_view kind = view(tag.value->get_string());
    for (const Alternative& alternative : tagged.alternatives) {
      if (kind != alternative.kind && std::ranges::find(alternative.aliases, kind) == alternative.aliases.end())
        continue;
      if (alternative.inert) warning(where, std::string(alternative.kind) + " is not supported yet and has no effect");
      void* fields = alternative.emplace(field.in(out));
      static const json::value kNothing = json::object();
      const bool empty = content.value == nullptr || content.value->is_null();
      return read(empty ? kNothing : *content.value, fields, *alternative.type, join(path, field.content), field.meta);
    }
    problem(where, "must be " + one_of(kinds) + ", is " + describe_value(*tag.value) + did_you_mean(kind, kinds));
  }

  void read(const json::value&, void*, const Tagged&, const std::string&, const Meta&) {}  // read by its object

  static Found find(const json::object& from, std::string_view name, bool ignore_case) {
    if (const json::value* value = from.if_contains(name)) return {name, value};
    if (!ignore_case) return {};
    for (const auto& member : from)
      if (same_ignoring_case(view(member.key()), name)) return {view(member.key()), &member.value()};
    return {};
  }

  static bool is_unset(const json::value& in, const Type& type) {
    if (in.is_null()) return !std::holds_alternative<Optional>(type.shape);
    if (!in.is_string() || !in.get_string().empty()) return false;
    const Type* inner = &type;
    if (const auto* optional = std::get_if<Optional>(&type.shape)) inner = optional->of;
    if (std::holds_alternative<Text>(inner->shape)) return false;
    // An enumeration may have an empty word.
    const auto* words = std::get_if<Words>(&inner->shape);
    return words == nullptr || std::ranges::find(words->names, "") == words->names.end();
  }

  const ReadOptions& options_;
  Report report_;
};

}  // namespace

std::string describe_value(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return value.get_bool() ? "true" : "false";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: return "the number " + number_text(value);
    case json::kind::array: return "a list";
    case json::kind::object: return "an object";
    case json::kind::string: break;
  }
  const std::string_view text = view(value.get_string());
  std::size_t length = std::min(text.size(), kLongestQuote);
  // Not in the middle of a character: bytes 10xxxxxx go on with one.
  while (length > 0 && length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  const std::string shown = json::serialize(json::value(text.substr(0, length)));
  return "the text " + shown + (length < text.size() ? "..." : "");
}

Report read_into(const json::value& in, void* out, const Type& type, const ReadOptions& options) {
  Reader reader(options);
  reader.read(in, out, type, options.path, {});
  return reader.take();
}

}  // namespace nuclio::schema
