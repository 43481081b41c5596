// SPDX-License-Identifier: Apache-2.0
#include "platform/kube/crds.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "platform/kube/names.h"
#include "schema/openapi.h"
#include "spec/load.h"

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;

struct Kind {
  const k8s::Resource& resource;
  const schema::Type& type;
  std::string_view short_name;
  std::string_view singular;
  json::array columns;
  bool scales = false;
};

json::object column(std::string_view name, std::string_view path, std::string_view type = "string") {
  return {{"name", name}, {"type", type}, {"jsonPath", path}};
}
json::object wide(json::object column) {
  column["priority"] = 1;
  return column;
}
json::object age() { return column("Age", ".metadata.creationTimestamp", "date"); }

json::array function_columns() {
  return {column("State", ".status.state"), column("Replicas", ".status.replicas", "integer"),
          // The first of both lists that is there: a function that nobody reaches from outside has an internal one.
          column("URL", ".status['externalInvocationUrls','internalInvocationUrls'][0]"),
          column("Project", ".metadata.labels.nuclio\\.io/project-name"), age(), wide(column("Image", ".spec.image")),
          wide(column("Message", ".status.message"))};
}

// What every object has is the API server's to describe.
json::object schema_of(const Kind& kind) {
  json::object out = schema::openapi_schema(kind.type);
  out.erase("nullable");
  json::object& properties = out["properties"].get_object();
  properties["metadata"] = json::object{{"type", "object"}};
  properties["apiVersion"] = json::object{{"type", "string"}};
  properties["kind"] = json::object{{"type", "string"}};
  if (&kind.resource != &kFunctions) return out;

  // Nuclio refuses the same, a step later.
  json::object& spec = properties["spec"].get_object();
  spec["x-kubernetes-validations"] = json::array{
      json::object{{"rule", "!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas"},
                   {"message", "minReplicas must be at most maxReplicas"},
                   {"fieldPath", ".minReplicas"}}};
  // So that each writer has the conditions that are its own.
  json::object& conditions = properties["status"].get_object()["properties"].get_object()["conditions"].get_object();
  conditions["x-kubernetes-list-type"] = "map";
  conditions["x-kubernetes-list-map-keys"] = json::array{"type"};
  json::object& condition = conditions["items"].get_object();
  condition["required"] = json::array{"type"};
  condition.erase("nullable");
  return out;
}

json::object version(const Kind& kind, std::string_view name, bool stored) {
  json::object out{{"name", name},
                   {"served", true},
                   {"storage", stored},
                   {"schema", {{"openAPIV3Schema", schema_of(kind)}}},
                   {"additionalPrinterColumns", kind.columns}};
  if (!stored) return out;
  json::object subresources{{"status", json::object{}}};
  if (kind.scales)
    subresources["scale"] = json::object{{"specReplicasPath", ".spec.replicas"},
                                         {"statusReplicasPath", ".status.replicas"},
                                         {"labelSelectorPath", ".status.selector"}};
  out["subresources"] = std::move(subresources);
  return out;
}

json::object crd(const Kind& kind) {
  const std::string plural{kind.resource.plural};
  return {{"apiVersion", k8s::kCrds.api_version()},
          {"kind", k8s::kCrds.kind},
          {"metadata", {{"name", plural + "." + std::string(kind.resource.group)}}},
          {"spec",
           {{"group", kind.resource.group},
            {"scope", "Namespaced"},
            {"names",
             {{"plural", plural},
              {"singular", kind.singular},
              {"kind", kind.resource.kind},
              {"listKind", std::string(kind.resource.kind) + "List"},
              {"shortNames", json::array{json::value(kind.short_name)}},
              {"categories", json::array{"nuclio"}}}},
            {"versions", json::array{version(kind, "v1", true), version(kind, "v1beta1", false)}}}}};
}

}  // namespace

std::vector<json::object> crds() {
  const Kind kinds[] = {
      {kFunctions, spec::function_type(), "nf", "nucliofunction", function_columns(), true},
      {kProjects,
       spec::project_type(),
       "np",
       "nuclioproject",
       {column("Description", ".spec.description"), column("Owner", ".spec.owner"), age()}},
      {kFunctionEvents,
       spec::function_event_type(),
       "nfe",
       "nucliofunctionevent",
       {column("Function", ".metadata.labels.nuclio\\.io/function-name"), column("Trigger", ".spec.triggerName"),
        age()}},
      {kApiGateways,
       spec::api_gateway_type(),
       "nag",
       "nuclioapigateway",
       {column("Host", ".spec.host"), column("Path", ".spec.path"), column("State", ".status.state"), age(),
        wide(column("Error", ".status.last_error"))}},
  };
  std::vector<json::object> out;
  for (const Kind& kind : kinds) out.push_back(crd(kind));
  return out;
}

}  // namespace nuclio::platform::kube
