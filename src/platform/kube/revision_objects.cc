// SPDX-License-Identifier: Apache-2.0
#include "platform/kube/revision_objects.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "k8s/time.h"
#include "oci/digest.h"
#include "platform/kube/conditions.h"
#include "platform/kube/names.h"
#include "platform/kube/objects.h"

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;
using spec::FunctionState;

// Of no use in a function that is deployed again: what kubectl compares with, and where values of that time were.
constexpr std::array<std::string_view, 2> kNotKept{"kubectl.kubernetes.io/last-applied-configuration",
                                                   kSecretAnnotation};

json::object object_at(const json::object& object, std::string_view dotted) {
  const json::value* value = k8s::at(object, dotted);
  return value && value->is_object() ? value->get_object() : json::object{};
}

// Of the newest revision, when the function is still what it says.
RevisionState state_of(FunctionState state) {
  switch (state) {
    case FunctionState::error: return RevisionState::failed;
    case FunctionState::waiting_for_resource_configuration:
    case FunctionState::configuring_resources: return RevisionState::deploying;
    default: return RevisionState::serving;
  }
}

}  // namespace

std::string spec_hash(const json::object& function) {
  json::object spec = object_at(function, "spec");
  spec.erase("replicas");
  return std::string(oci::Digest::of(json::serialize(spec)).hex().substr(0, 32));
}

k8s::ObjectName revision_prefix(const k8s::ObjectName& function) {
  return {function.namespace_name, object_name(function.name) + "-"};
}

json::object revision_object(const json::object& function, Revision number) {
  const k8s::ObjectName name = k8s::name_of(function);
  json::object annotations{{kSpecHash, spec_hash(function)}};
  const std::string_view by = k8s::annotation_of(function, kDeployedBy);
  if (!by.empty()) annotations[kDeployedBy] = by;
  json::object labels{{kClassLabel, "function"}, {kFunctionLabel, name.name}};
  const std::string_view project = k8s::label_of(function, kProjectLabel);
  if (!project.empty()) labels[kProjectLabel] = project;
  json::object owner{{"apiVersion", kFunctions.api_version()}, {"kind", kFunctions.kind}, {"name", name.name},
                     {"uid", k8s::uid_of(function)},           {"controller", true},      {"blockOwnerDeletion", true}};
  json::object kept_annotations = object_at(function, "metadata.annotations");
  for (const std::string_view each : kNotKept) kept_annotations.erase(each);
  json::object kept{{"name", name.name},
                    {"namespace", name.namespace_name},
                    {"labels", object_at(function, "metadata.labels")},
                    {"annotations", std::move(kept_annotations)}};
  return {{"apiVersion", k8s::kControllerRevisions.api_version()},
          {"kind", k8s::kControllerRevisions.kind},
          {"metadata",
           {{"name", revision_prefix(name).name + std::to_string(number.value())},
            {"namespace", name.namespace_name},
            {"labels", std::move(labels)},
            {"annotations", std::move(annotations)},
            {"ownerReferences", json::array{std::move(owner)}}}},
          {"revision", number.value()},
          {"data", {{"metadata", std::move(kept)}, {"spec", object_at(function, "spec")}}}};
}

Revision number_of(const json::object& revision) {
  const json::value* number = revision.if_contains("revision");
  return Revision{number && number->is_int64() ? number->get_int64() : 0};
}

Result<spec::FunctionConfig> function_in(const json::object& revision) {
  TRY(auto loaded, function_of(object_at(revision, "data")));
  loaded.config.status = {};
  return std::move(loaded.config);
}

bool is_of(const json::object& revision, std::string_view uid) {
  const json::value* owners = k8s::at(revision, "metadata.ownerReferences");
  if (!owners || !owners->is_array()) return false;
  return std::ranges::any_of(owners->get_array(), [&](const json::value& each) {
    const json::value* owner = each.is_object() ? each.get_object().if_contains("uid") : nullptr;
    return owner && *owner == json::string_view(uid.data(), uid.size());
  });
}

std::vector<RevisionSummary> summaries(const json::object& function, const std::vector<json::object>& revisions) {
  FunctionState state = FunctionState::none;
  if (auto loaded = function_of(function)) state = loaded->config.status.state;
  std::vector<RevisionSummary> out;
  bool found_serving = false;
  for (const json::object& each : revisions) {
    RevisionSummary& summary = out.emplace_back(RevisionSummary{.number = number_of(each)});
    summary.deployed = k8s::parse_time(k8s::text_in(each, "creationTimestamp"));
    summary.deployed_by = std::string(k8s::annotation_of(each, kDeployedBy));
    // What is being made of a later spec, or could not be, is none yet: until then the newest serves.
    const bool is_now = out.size() == 1 && k8s::annotation_of(each, kSpecHash) == spec_hash(function);
    if (!found_serving) summary.state = is_now ? state_of(state) : RevisionState::serving;
    found_serving = found_serving || summary.state == RevisionState::serving;
  }
  return out;
}

}  // namespace nuclio::platform::kube
