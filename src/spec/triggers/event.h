// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include "schema/schema.h"

namespace nuclio::spec {

using schema::field;

// The event that a trigger makes itself.
struct TriggerEvent {
  std::string body;
  std::string path;
  std::string method;
  std::map<std::string, std::string> headers;

  template <class T = TriggerEvent>
  static constexpr auto fields() {
    return std::tuple{
        field("body", &T::body, {.doc = "Body of the event."}),
        field("path", &T::path, {.doc = "Path of the event."}),
        field("method", &T::method, {.doc = "Method of the event."}),
        field("headers", &T::headers, {.doc = "Headers of the event."}),
    };
  }
};

}  // namespace nuclio::spec
