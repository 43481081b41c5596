// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include "schema/schema.h"
#include "spec/metadata.h"

namespace nuclio::spec {

struct ProjectSpec {
  std::string description;
  std::string owner;
  std::map<std::string, std::string> default_function_node_selector;

  template <class P = ProjectSpec>
  static constexpr auto fields() {
    return std::tuple{
        field("description", &P::description, {.doc = "What the project is for."}),
        field("owner", &P::owner, {.doc = "Who owns it."}),
        field("defaultFunctionNodeSelector", &P::default_function_node_selector,
              {.doc = "Node selector of the project's functions.", .only = kKubernetes}),
    };
  }
};

struct ProjectStatus {
  std::string admin_status;
  std::string operational_status;
  std::string updated_at;

  template <class P = ProjectStatus>
  static constexpr auto fields() {
    return std::tuple{
        field("adminStatus", &P::admin_status, {.doc = "What its leader wants of it."}),
        field("operationalStatus", &P::operational_status, {.doc = "What it is, by its leader."}),
        field("updatedAt", &P::updated_at, {.doc = "When it was last changed, as RFC 3339."}),
    };
  }
};

struct Project {
  Metadata metadata;
  ProjectSpec spec;
  ProjectStatus status;

  template <class P = Project>
  static constexpr auto fields() {
    return std::tuple{
        field("metadata", &P::metadata, {.doc = "Who the project is.", .also = "meta"}),
        field("spec", &P::spec, {.doc = "What the user wants."}),
        field("status", &P::status, {.doc = "What the platform knows."}),
    };
  }
};

}  // namespace nuclio::spec
