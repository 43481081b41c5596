// SPDX-License-Identifier: Apache-2.0
#include "schema/without_effect.h"

#include <boost/json/value.hpp>

#include "schema/write.h"

namespace nuclio::schema {
namespace {

class Search {
 public:
  explicit Search(std::string_view platform) : platform_(platform) {}

  std::vector<Problem> take() { return std::move(found_); }

  void look(const void* value, const Type& type, const std::string& path) {
    std::visit([&](const auto& shape) { look(value, shape, path); }, type.shape);
  }

 private:
  template <class Leaf>
  void look(const void*, const Leaf&, const std::string&) {}

  void look(const void* value, const Object& object, const std::string& path) {
    for (const TypedField& field : object.fields) {
      const std::string where = join(path, field.name);
      if (const auto* tagged = std::get_if<Tagged>(&field.type->shape)) {
        const Alternative& alternative = tagged->alternatives[tagged->index(field.in(value))];
        look(tagged->get(field.in(value)), *alternative.type, join(path, field.content));
      } else if (field.meta.only.empty() || field.meta.only == platform_) {
        look(field.in(value), *field.type, where);
      } else if (write(field.in(value), *field.type, Secrets::shown) !=
                 write(field.in(object.defaults), *field.type, Secrets::shown)) {
        found_.push_back({where, "has no effect here, only on " + std::string(field.meta.only)});
      }
    }
  }

  void look(const void* value, const Optional& optional, const std::string& path) {
    if (const void* inside = optional.get(value)) look(inside, *optional.of, path);
  }

  void look(const void* value, const List& list, const std::string& path) {
    for (std::size_t i = 0; i < list.size(value); ++i)
      look(list.at(value, i), *list.of, path + "[" + std::to_string(i) + "]");
  }

  void look(const void* value, const Map& map, const std::string& path) {
    struct Context {
      Search& search;
      const Map& map;
      const std::string& path;
    } context{*this, map, path};
    map.each(value, &context, [](void* p, const std::string& key, const void* each) {
      const auto& in = *static_cast<Context*>(p);
      in.search.look(each, *in.map.of, join(in.path, key));
    });
  }

  std::string_view platform_;
  std::vector<Problem> found_;
};

}  // namespace

std::vector<Problem> without_effect(const void* object, const Type& type, std::string_view platform) {
  Search search{platform};
  search.look(object, type, {});
  return search.take();
}

}  // namespace nuclio::schema
