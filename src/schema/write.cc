// SPDX-License-Identifier: Apache-2.0
#include "schema/write.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>

#include "base/duration.h"

namespace nuclio::schema {
namespace {

namespace json = boost::json;

template <class T>
const T& as(const void* p) {
  return *static_cast<const T*>(p);
}

bool is_set(const json::value& value) {
  if (value.is_string()) return !value.get_string().empty();
  if (value.is_array()) return !value.get_array().empty();
  if (value.is_object()) return !value.get_object().empty();
  return !value.is_null();
}

struct Writer {
  Secrets secrets;

  json::value write(const void* p, const Type& type) const {
    return std::visit([&](const auto& shape) { return write(p, shape); }, type.shape);
  }

  json::value write(const void* p, const Boolean&) const { return as<bool>(p); }
  json::value write(const void* p, const Text&) const { return json::value(as<std::string>(p)); }
  json::value write(const void* p, const Number&) const { return as<double>(p); }
  json::value write(const void* p, const Duration&) const {
    return json::value(format_duration(as<std::chrono::nanoseconds>(p)));
  }
  json::value write(const void* p, const Integer& integer) const { return integer.get(p); }
  json::value write(const void* p, const Words& words) const { return json::value(words.names[words.get(p)]); }
  json::value write(const void* p, const Verbatim& verbatim) const { return verbatim.copy(p); }

  json::value write(const void* p, const Optional& optional) const {
    const void* value = optional.get(p);
    return value == nullptr ? json::value(nullptr) : write(value, *optional.of);
  }

  json::value write(const void* p, const List& list) const {
    json::array out;
    for (std::size_t i = 0; i < list.size(p); ++i) out.push_back(write(list.at(p, i), *list.of));
    return out;
  }

  json::value write(const void* p, const Map& map) const {
    struct Context {
      const Writer& writer;
      const Type& of;
      json::object out;
    } context{*this, *map.of, {}};
    map.each(p, &context, [](void* opaque, const std::string& key, const void* value) {
      auto& into = *static_cast<Context*>(opaque);
      into.out[key] = into.writer.write(value, into.of);
    });
    return std::move(context.out);
  }

  json::value write(const void* p, const Object& object) const {
    json::object out;
    for (const TypedField& field : object.fields) {
      if (const auto* tagged = std::get_if<Tagged>(&field.type->shape)) {
        write_tagged(field.in(p), field, *tagged, out);
        continue;
      }
      json::value value = write(field.in(p), *field.type);
      if (value == Writer{Secrets::shown}.write(field.in(object.defaults), *field.type)) continue;
      if (field.meta.secret && secrets == Secrets::masked && is_set(value)) value = json::value(kMask);
      out[field.name] = std::move(value);
    }
    return out;
  }

  void write_tagged(const void* p, const TypedField& field, const Tagged& tagged, json::object& out) const {
    const Alternative& alternative = tagged.alternatives[tagged.index(p)];
    out[field.name] = json::value(alternative.kind);
    json::value content = write(tagged.get(p), *alternative.type);
    if (!content.get_object().empty()) out[field.content] = std::move(content);
  }

  json::value write(const void*, const Tagged&) const { return nullptr; }  // written by its object
};

}  // namespace

json::value write(const void* object, const Type& type, Secrets secrets) { return Writer{secrets}.write(object, type); }

}  // namespace nuclio::schema
