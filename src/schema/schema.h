// SPDX-License-Identifier: Apache-2.0
// How a struct says what it looks like in a file: one line a field, from which the reader, the writer, the JSON Schema
// and the reference pages are made. Cheap to include; the walking is done by describe.h in a few .cc files.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace nuclio::schema {

struct Meta {
  std::string_view doc = {};             // one sentence, for the reference page, the JSON Schema and forms
  std::optional<std::int64_t> min = {};  // inclusive; of each number in the field
  std::optional<std::int64_t> max = {};  // inclusive
  bool required = false;                 // leaving it out, or empty, is a problem
  bool secret = false;                   // masked wherever it is shown, and never quoted in a message
  bool inert = false;                // read and kept, but nothing acts on it yet: documented so, and setting it warns
  std::string_view only = {};        // the one platform on which it acts: documented so, and without_effect() warns
  std::string_view also = {};        // another name that is read as well
  std::string_view deprecated = {};  // an old name that is still read, with a warning
};

template <class Owner, class T>
struct Field {
  std::string_view name;
  T Owner::* member;
  Meta meta;
};

template <class Owner, class T>
constexpr Field<Owner, T> field(std::string_view name, T Owner::* member, Meta meta) {
  return {name, member, meta};
}

// A std::variant whose alternative is named by one key, and whose fields stand under another: kind and attributes. Each
// alternative has fields() and a `kKind`, and may have `kAliases` (other names for it) and `kInert`.
template <class Owner, class T>
struct TaggedField {
  std::string_view name;
  std::string_view content;
  T Owner::* member;
  Meta meta;
};

template <class Owner, class T>
constexpr TaggedField<Owner, T> tagged(std::string_view name, std::string_view content, T Owner::* member, Meta meta) {
  return {name, content, member, meta};
}

// A described type has a static fields() that returns a tuple of Field, and may have `kIgnoreCase` when its keys are
// found whatever their case. A long tuple is dear to compile: fields() is a template over the type itself,
// `template <class B = Batch>`, and members are named by the parameter, so that only who calls it instantiates it.
template <class T>
concept Described = requires { T::fields(); };

// One word of an enumeration. An enumeration that appears in a described struct has a function, found by its argument:
// `constexpr auto choices(ServiceType) { return std::array{Choice{ServiceType::node_port, "NodePort"}, ...}; }`.
template <class E>
struct Choice {
  E value;
  std::string_view name;
};

// The word of a value; the first one when there are several.
template <class E>
constexpr std::string_view name_of(E value) {
  for (const auto& choice : choices(value))
    if (choice.value == value) return choice.name;
  return {};
}

struct Problem {
  std::string path;     // "spec.triggers.web.numWorkers"; empty for the whole document
  std::string message;  // "must be at least 1, is 0"
  friend bool operator==(const Problem&, const Problem&) = default;
};

std::string text(const Problem& problem);
std::string text(const std::vector<Problem>& problems);  // one a line

// What was found while looking at a document. Problems refuse it, warnings do not.
struct Report {
  std::vector<Problem> problems;
  std::vector<Problem> warnings;
};

template <class T>
struct Loaded {
  T config;
  std::vector<Problem> warnings;
};

// What to do about a field that nobody knows. A person who writes a file wants to hear of a typing error; a controller
// must go on with an object that a newer version wrote.
enum class Unknown { problem, warning };

// `path.key`, or `path["key"]` when the key would not be readable as one word.
std::string join(std::string_view path, std::string_view key);

}  // namespace nuclio::schema
