// SPDX-License-Identifier: Apache-2.0
// Descriptions of types while the program runs. describe.h makes them from structs; read, write, json_schema, reference
// and set_path walk over them, so that each of those is compiled once and not once for each struct. They live as long
// as the program and are never changed, so any thread may use them.
#pragma once
#include <boost/json/fwd.hpp>
#include <cstddef>
#include <variant>

#include "schema/schema.h"

namespace nuclio::schema {

struct Type;

struct Boolean {};
struct Text {};
struct Number {};
struct Duration {};  // std::chrono::nanoseconds; text as Go writes it

struct Integer {
  std::int64_t lowest, highest;  // what the member can hold
  std::int64_t (*get)(const void*);
  void (*set)(void*, std::int64_t);
};

struct Words {  // an enumeration
  std::vector<std::string_view> names;
  std::size_t (*get)(const void*);
  void (*set)(void*, std::size_t);
};

struct Optional {
  const Type* of;
  const void* (*get)(const void*);  // null when empty
  void* (*emplace)(void*);
  void (*reset)(void*);
};

struct List {
  const Type* of;
  std::size_t (*size)(const void*);
  const void* (*at)(const void*, std::size_t);
  void* (*append)(void*);
  void (*clear)(void*);
};

struct Map {  // std::map<std::string, …>
  const Type* of;
  void (*each)(const void*, void* context, void (*visit)(void* context, const std::string& key, const void* value));
  void* (*insert)(void*, std::string key);
  void (*clear)(void*);
};

struct TypedField {
  std::string_view name;
  std::string_view content;  // of a tagged field: the key under which the alternative's fields stand
  Meta meta;
  const Type* type;
  std::ptrdiff_t offset;  // of the member within its struct

  const void* in(const void* object) const { return static_cast<const std::byte*>(object) + offset; }
  void* in(void* object) const { return static_cast<std::byte*>(object) + offset; }
};

struct Object {
  std::vector<TypedField> fields;
  const void* defaults;  // an object of the type as it is made
  bool ignore_case;
};

struct Alternative {
  std::string_view kind;
  std::vector<std::string_view> aliases;
  bool inert;
  const Type* type;  // an Object
  void* (*emplace)(void*);
};

struct Tagged {
  std::vector<Alternative> alternatives;
  std::size_t (*index)(const void*);
  const void* (*get)(const void*);
};

// JSON that is kept as it came: its format is somebody else's.
struct Verbatim {
  enum class Shape { any, object, list } shape;
  boost::json::value (*copy)(const void*);
  void (*set)(void*, const boost::json::value&);
};

struct Type {
  std::variant<Boolean, Text, Number, Duration, Integer, Words, Optional, List, Map, Object, Tagged, Verbatim> shape;
};

}  // namespace nuclio::schema
