// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include "schema/schema.h"

namespace nuclio::spec {

using schema::field;
using schema::tagged;

// For Meta::only: the field acts on this platform and on no other.
inline constexpr std::string_view kKubernetes = "Kubernetes";

inline constexpr std::string_view kProjectLabel = "nuclio.io/project-name";
inline constexpr std::string_view kFunctionLabel = "nuclio.io/function-name";
inline constexpr std::string_view kDefaultProject = "default";

// Who an object is. Functions, projects, function events and API gateways all have one.
struct Metadata {
  std::string name;
  std::string namespace_name;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::string resource_version;

  template <class M = Metadata>
  static constexpr auto fields() {
    return std::tuple{
        field("name", &M::name, {.doc = "Unique within the namespace; a DNS label."}),
        field("namespace", &M::namespace_name, {.doc = "Namespace of the object; the platform's own when empty."}),
        field("labels", &M::labels,
              {.doc = "Labels; nuclio.io/project-name says to which project a function belongs."}),
        field(
            "annotations", &M::annotations,
            {.doc = "Annotations; skip-build and skip-deploy (\"true\") keep an import from being built or deployed."}),
        field("resourceVersion", &M::resource_version,
              {.doc = "Version that an update was made from; the update is refused when a newer one exists."}),
    };
  }
};

}  // namespace nuclio::spec
