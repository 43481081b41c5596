// SPDX-License-Identifier: Apache-2.0
#include "platform/kube/objects.h"

#include <boost/json.hpp>
#include <chrono>

#include "oci/digest.h"
#include "platform/kube/conditions.h"
#include "platform/kube/names.h"
#include "spec/load.h"

namespace nuclio::platform::kube {
namespace {

namespace json = boost::json;

// Of the metadata that every object has, what is a function's business.
constexpr std::string_view kOurMetadata[] = {"name", "namespace", "labels", "annotations", "resourceVersion"};

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

json::value readable(const json::object& object) {
  json::object out;
  json::object metadata;
  const json::value* from = object.if_contains("metadata");
  if (from && from->is_object())
    for (std::string_view name : kOurMetadata)
      if (const json::value* value = from->get_object().if_contains(view(name))) metadata[view(name)] = *value;
  out["metadata"] = std::move(metadata);
  for (const char* part : {"spec", "status"})
    if (const json::value* value = object.if_contains(part)) out[part] = *value;
  return out;
}

json::object with_metadata(json::object out, const k8s::Resource& resource, const json::object* existing) {
  json::object metadata;
  const json::value* kept = existing ? existing->if_contains("metadata") : nullptr;
  if (kept && kept->is_object()) metadata = kept->get_object();
  metadata.erase("labels");
  metadata.erase("annotations");
  metadata.erase("resourceVersion");
  json::value ours = std::move(out["metadata"]);
  if (ours.is_object())
    for (auto& [key, value] : ours.get_object()) metadata[key] = std::move(value);
  out["metadata"] = std::move(metadata);
  out["apiVersion"] = resource.api_version();
  out["kind"] = view(resource.kind);
  return out;
}

}  // namespace

Result<schema::Loaded<spec::FunctionConfig>> function_of(const json::object& object) {
  return spec::read_function(readable(object), spec::Unknown::warning);
}

Result<schema::Loaded<spec::Project>> project_of(const json::object& object) {
  return spec::read_project(readable(object), spec::Unknown::warning);
}

Result<schema::Loaded<spec::FunctionEvent>> function_event_of(const json::object& object) {
  return spec::read_function_event(readable(object), spec::Unknown::warning);
}

Result<schema::Loaded<spec::ApiGateway>> api_gateway_of(const json::object& object) {
  return spec::read_api_gateway(readable(object), spec::Unknown::warning);
}

json::object object_of(json::object function, const json::object* existing) {
  json::object out = with_metadata(std::move(function), kWholeFunctions, existing);
  out.emplace("spec", json::object{});
  return out;
}

json::object object_of(const spec::Project& project, const json::object* existing) {
  json::value value = spec::to_json(project);
  json::object out = with_metadata(std::move(value.get_object()), kProjects, existing);
  out.emplace("spec", json::object{});
  return out;
}

json::object object_of(const spec::FunctionEvent& event, const json::object* existing) {
  json::value value = spec::to_json(event);
  json::object out = with_metadata(std::move(value.get_object()), kFunctionEvents, existing);
  out.emplace("spec", json::object{});
  return out;
}

json::object object_of(const spec::ApiGateway& gateway, const json::object* existing) {
  json::value value = spec::to_json(gateway, spec::Secrets::shown);
  return with_metadata(std::move(value.get_object()), kWholeApiGateways, existing);
}

bool has_code(const spec::FunctionSpec& spec) {
  const spec::Build& build = spec.build;
  if (build.mode == spec::BuildMode::never || build.code_entry_type == spec::CodeEntryType::image) return false;
  return !build.function_source_code.empty() || !build.path.empty() || build.code_entry_type == spec::CodeEntryType::s3;
}

std::string build_inputs(const json::object& object) {
  json::object inputs;
  for (const char* part : {"build", "runtime", "handler"})
    if (const json::value* value = k8s::at(object, std::string("spec.") + part)) inputs[part] = *value;
  return oci::Digest::of(json::serialize(inputs)).text();
}

json::object builder_status(const std::string& id, std::chrono::system_clock::time_point now) {
  return {{"id", id}, {"renewed", rfc3339(now)}};
}

std::string_view builder_of(const json::object& object) {
  const json::value* id = k8s::at(object, "status.builder.id");
  if (!id || !id->is_string()) return {};
  return {id->get_string().data(), id->get_string().size()};
}

}  // namespace nuclio::platform::kube
