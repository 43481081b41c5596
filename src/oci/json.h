// SPDX-License-Identifier: Apache-2.0
// Looking into JSON that others wrote, where a member that is missing or of another kind counts as not there.
#pragma once
#include <boost/json/object.hpp>
#include <string_view>

namespace nuclio::oci {

inline std::string_view text_of(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  if (!value || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

inline const boost::json::object* object_of(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value ? value->if_object() : nullptr;
}

}  // namespace nuclio::oci
