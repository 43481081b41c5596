// SPDX-License-Identifier: Apache-2.0
// Makes a Type from a described struct. Included by the few .cc files that instantiate it, never by headers.
#pragma once
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <limits>
#include <map>
#include <type_traits>

#include "base/bytes.h"
#include "schema/read.h"
#include "schema/type.h"
#include "schema/write.h"

namespace nuclio::schema {

template <class T>
const Type& type_of();

namespace describe {

template <class T>
struct Is {
  static constexpr bool optional = false, list = false, map = false, variant = false;
};
template <class T>
struct Is<std::optional<T>> : Is<void> {
  static constexpr bool optional = true;
};
template <class T>
struct Is<std::vector<T>> : Is<void> {
  static constexpr bool list = true;
};
template <class T>
struct Is<std::map<std::string, T>> : Is<void> {
  static constexpr bool map = true;
};
template <class... T>
struct Is<std::variant<T...>> : Is<void> {
  static constexpr bool variant = true;
};

template <class T>
const T& as(const void* p) {
  return *static_cast<const T*>(p);
}
template <class T>
T& as(void* p) {
  return *static_cast<T*>(p);
}

template <class T>
Integer integer() {
  constexpr auto kHighest = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return {.lowest = static_cast<std::int64_t>(std::numeric_limits<T>::min()),
          .highest = static_cast<std::int64_t>(std::min(kHighest, kMost)),
          .get = [](const void* p) { return static_cast<std::int64_t>(as<T>(p)); },
          .set = [](void* p, std::int64_t value) { as<T>(p) = static_cast<T>(value); }};
}

template <class T>
Words words() {
  Words words{.names = {},
              .get = [](const void* p) -> std::size_t {
                const auto all = choices(T{});
                for (std::size_t i = 0; i < all.size(); ++i)
                  if (all[i].value == as<T>(p)) return i;
                return 0;
              },
              .set = [](void* p, std::size_t index) { as<T>(p) = choices(T{})[index].value; }};
  for (const auto& choice : choices(T{})) words.names.push_back(choice.name);
  return words;
}

template <class T>
Verbatim verbatim(Verbatim::Shape shape) {
  return {.shape = shape,
          .copy = [](const void* p) { return boost::json::value(as<T>(p)); },
          .set =
              [](void* p, const boost::json::value& value) {
                if constexpr (std::is_same_v<T, boost::json::object>)
                  as<T>(p) = value.get_object();
                else if constexpr (std::is_same_v<T, boost::json::array>)
                  as<T>(p) = value.get_array();
                else
                  as<T>(p) = value;
              }};
}

template <class Owner, class T>
std::ptrdiff_t offset(const Owner& owner, T Owner::* member) {
  return reinterpret_cast<const std::byte*>(&(owner.*member)) - reinterpret_cast<const std::byte*>(&owner);
}

template <class Owner, class T>
TypedField typed(const Owner& defaults, const Field<Owner, T>& f) {
  return {f.name, {}, f.meta, &type_of<T>(), offset(defaults, f.member)};
}
template <class Owner, class T>
TypedField typed(const Owner& defaults, const TaggedField<Owner, T>& f) {
  return {f.name, f.content, f.meta, &type_of<T>(), offset(defaults, f.member)};
}

template <class T>
Object object() {
  static const T defaults{};
  Object object{.fields = {}, .defaults = &defaults, .ignore_case = requires {T::kIgnoreCase;
}
};  // namespace describe
std::apply([&](const auto&... f) { (object.fields.push_back(typed(defaults, f)), ...); }, T::fields());
return object;
}  // namespace nuclio::schema

template <class Variant, class T>
Alternative alternative() {
  Alternative alternative{.kind = T::kKind, .aliases = {}, .inert = requires {T::kInert;
}
, .type = &type_of<T>(), .emplace = [](void* p) -> void* { return &as<Variant>(p).template emplace<T>(); }
}
;
if constexpr (requires { T::kAliases; }) alternative.aliases.assign(T::kAliases.begin(), T::kAliases.end());
return alternative;
}

template <class... T>
Tagged tagged_union(const std::variant<T...>*) {
  using Variant = std::variant<T...>;
  return {.alternatives = {alternative<Variant, T>()...},
          .index = [](const void* p) { return as<Variant>(p).index(); },
          .get =
              [](const void* p) {
                return std::visit([](const auto& value) -> const void* { return &value; }, as<Variant>(p));
              }};
}

template <class T>
Type make() {
  if constexpr (std::is_same_v<T, bool>) {
    return {Boolean{}};
  } else if constexpr (std::is_same_v<T, std::string>) {
    return {Text{}};
  } else if constexpr (std::is_same_v<T, double>) {
    return {Number{}};
  } else if constexpr (std::is_same_v<T, std::chrono::nanoseconds>) {
    return {Duration{}};
  } else if constexpr (std::is_integral_v<T>) {
    return {integer<T>()};
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return {Integer{.lowest = 0,
                    .highest = std::numeric_limits<std::int64_t>::max(),
                    .get = [](const void* p) { return static_cast<std::int64_t>(as<Bytes>(p).count); },
                    .set = [](void* p, std::int64_t n) { as<Bytes>(p).count = static_cast<std::uint64_t>(n); }}};
  } else if constexpr (std::is_enum_v<T>) {
    return {words<T>()};
  } else if constexpr (std::is_same_v<T, boost::json::value>) {
    return {verbatim<T>(Verbatim::Shape::any)};
  } else if constexpr (std::is_same_v<T, boost::json::object>) {
    return {verbatim<T>(Verbatim::Shape::object)};
  } else if constexpr (std::is_same_v<T, boost::json::array>) {
    return {verbatim<T>(Verbatim::Shape::list)};
  } else if constexpr (Is<T>::optional) {
    return {Optional{.of = &type_of<typename T::value_type>(),
                     .get = [](const void* p) -> const void* { return as<T>(p) ? &*as<T>(p) : nullptr; },
                     .emplace = [](void* p) -> void* { return &as<T>(p).emplace(); },
                     .reset = [](void* p) { as<T>(p).reset(); }}};
  } else if constexpr (Is<T>::list) {
    return {List{.of = &type_of<typename T::value_type>(),
                 .size = [](const void* p) { return as<T>(p).size(); },
                 .at = [](const void* p, std::size_t i) -> const void* { return &as<T>(p)[i]; },
                 .append = [](void* p) -> void* { return &as<T>(p).emplace_back(); },
                 .clear = [](void* p) { as<T>(p).clear(); }}};
  } else if constexpr (Is<T>::map) {
    return {Map{.of = &type_of<typename T::mapped_type>(),
                .each =
                    [](const void* p, void* context, void (*visit)(void*, const std::string&, const void*)) {
                      for (const auto& [key, value] : as<T>(p)) visit(context, key, &value);
                    },
                .insert = [](void* p, std::string key) -> void* { return &as<T>(p)[std::move(key)]; },
                .clear = [](void* p) { as<T>(p).clear(); }}};
  } else if constexpr (Is<T>::variant) {
    return {tagged_union(static_cast<const T*>(nullptr))};
  } else {
    static_assert(Described<T>, "give the type a fields(), or teach make() about it");
    return {object<T>()};
  }
}

}  // namespace describe

template <class T>
const Type& type_of() {
  static const Type type = describe::make<T>();
  return type;
}

// The struct that a JSON value describes; Why::invalid with all problems, one a line, when it describes none.
template <Described T>
Result<Loaded<T>> read(const boost::json::value& in, ReadOptions options = {}) {
  Loaded<T> loaded;
  Report report = read_into(in, &loaded.config, type_of<T>(), options);
  if (!report.problems.empty()) return fail(Why::invalid, text(report.problems));
  loaded.warnings = std::move(report.warnings);
  return loaded;
}

template <Described T>
boost::json::value write(const T& object, Secrets secrets = Secrets::shown) {
  return write(&object, type_of<T>(), secrets);
}

}  // namespace nuclio::schema
