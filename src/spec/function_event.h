// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/object.hpp>
#include <string>

#include "schema/schema.h"
#include "spec/metadata.h"

namespace nuclio::spec {

// A stored event, to invoke a function with.
struct FunctionEventSpec {
  std::string display_name;
  std::string trigger_name;
  std::string trigger_kind;
  std::string body;
  boost::json::object attributes;

  template <class E = FunctionEventSpec>
  static constexpr auto fields() {
    return std::tuple{
        field("displayName", &E::display_name, {.doc = "Name to show."}),
        field("triggerName", &E::trigger_name, {.doc = "Trigger that the event is for."}),
        field("triggerKind", &E::trigger_kind, {.doc = "Kind of that trigger."}),
        field("body", &E::body, {.doc = "Body of the event."}),
        field("attributes", &E::attributes, {.doc = "method, path and headers of the event."}),
    };
  }
};

struct FunctionEvent {
  Metadata metadata;
  FunctionEventSpec spec;

  template <class F = FunctionEvent>
  static constexpr auto fields() {
    return std::tuple{
        field("metadata", &F::metadata,
              {.doc = "Who the event is; its label nuclio.io/function-name names the function.", .also = "meta"}),
        field("spec", &F::spec, {.doc = "The event."}),
    };
  }
};

}  // namespace nuclio::spec
