// SPDX-License-Identifier: Apache-2.0
#include "platform/kube/crds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <functional>

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;

const json::object& spec_of(const json::object& crd) { return crd.at("spec").as_object(); }

// Every schema within one, with its path.
void each_schema(const json::object& schema, const std::string& path,
                 const std::function<void(const json::object&, const std::string&)>& look) {
  look(schema, path);
  if (const auto* properties = schema.if_contains("properties"))
    for (const auto& [name, property] : properties->as_object())
      each_schema(property.as_object(), path + "." + std::string(name), look);
  for (const char* below : {"items", "additionalProperties"})
    if (const auto* inner = schema.if_contains(below)) each_schema(inner->as_object(), path + "[]", look);
}

TEST(Crds, AreNucliosFourKindsInTwoVersions) {
  std::string names;
  for (const json::object& crd : crds()) {
    const json::object& spec = spec_of(crd);
    names += std::string(crd.at("metadata").at("name").as_string()) + " " +
             std::string(spec.at("names").at("shortNames").at(0).as_string()) + "\n";
    const json::array& versions = spec.at("versions").as_array();
    ASSERT_EQ(versions.size(), 2u);
    EXPECT_EQ(versions[0].at("name"), "v1");
    EXPECT_EQ(versions[0].at("storage"), true);
    EXPECT_TRUE(versions[0].at("subresources").as_object().contains("status"));
    EXPECT_EQ(versions[1].at("name"), "v1beta1");
    EXPECT_EQ(versions[1].at("storage"), false);
    EXPECT_FALSE(versions[1].as_object().contains("subresources")) << "Nuclio's clients write spec and status at once";
    EXPECT_EQ(versions[0].at("schema"), versions[1].at("schema"));
  }
  EXPECT_EQ(names,
            "nucliofunctions.nuclio.io nf\nnuclioprojects.nuclio.io np\nnucliofunctionevents.nuclio.io nfe\n"
            "nuclioapigateways.nuclio.io nag\n");
}

TEST(Crds, LetFunctionsBeScaled) {
  const json::object function = crds().front();
  EXPECT_EQ(spec_of(function).at("versions").at(0).at("subresources").at("scale").at("specReplicasPath"),
            ".spec.replicas");
}

TEST(Crds, HaveSchemasThatKeepWhatTheyDoNotKnow) {
  for (const json::object& crd : crds()) {
    const json::object& schema = spec_of(crd).at("versions").at(0).at("schema").at("openAPIV3Schema").as_object();
    each_schema(schema, "", [](const json::object& each, const std::string& path) {
      const json::value* type = each.if_contains("type");
      const bool keeps = each.contains("x-kubernetes-preserve-unknown-fields");
      EXPECT_TRUE(type != nullptr || keeps) << path;
      if (each.contains("properties") && path != ".metadata") EXPECT_TRUE(keeps) << path;
      for (const char* refusing : {"default", "minimum", "maximum", "pattern", "allOf", "$ref"})
        EXPECT_FALSE(each.contains(refusing)) << path << " has " << refusing;
      if (const json::value* words = each.if_contains("enum"))
        EXPECT_TRUE(std::ranges::find(words->as_array(), json::value("")) != words->as_array().end()) << path;
      if (type != nullptr && *type == "array" && !each.contains("x-kubernetes-list-type"))
        EXPECT_TRUE(each.contains("nullable")) << path;
    });
  }
}

}  // namespace
}  // namespace nuclio::platform::kube
