// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "schema/schema.h"

namespace nuclio::spec {

using schema::field;

struct NatsTrigger {
  static constexpr std::string_view kKind = "nats";
  static constexpr bool kInert = true;
  std::string topic;
  std::string queue_name;

  template <class N = NatsTrigger>
  static constexpr auto fields() {
    return std::tuple{
        field("topic", &N::topic, {.doc = "Subject to subscribe to."}),
        field(
            "queueName", &N::queue_name,
            {.doc =
                 "Queue group, so that one replica gets each message; a template over .Namespace, .Name, .Id, .Labels "
                 "and .Annotations."}),
    };
  }
};

}  // namespace nuclio::spec
