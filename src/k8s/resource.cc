// SPDX-License-Identifier: Apache-2.0
#include "k8s/resource.h"

#include <boost/json.hpp>

#include "k8s/json.h"
#include "k8s/url.h"

namespace nuclio::k8s {
namespace {

namespace json = boost::json;

const json::object* metadata_of(const json::object& object) { return object_of(object, "metadata"); }

std::string_view entry_of(const json::object& object, std::string_view map, std::string_view key) {
  const json::object* metadata = metadata_of(object);
  const json::object* entries = metadata ? object_of(*metadata, map) : nullptr;
  return entries ? text_of(*entries, key) : std::string_view{};
}

}  // namespace

std::string Resource::api_version() const {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

std::string ObjectName::text() const { return namespace_name.empty() ? name : namespace_name + "/" + name; }

std::string path_of(const Resource& resource, std::string_view namespace_name, std::string_view name,
                    std::string_view subresource) {
  std::string path = resource.group.empty() ? "/api" : "/apis/" + encoded(resource.group);
  const auto step = [&path](std::string_view part) {
    if (!part.empty()) path += "/" + encoded(part);
  };
  step(resource.version);
  if (resource.namespaced && !namespace_name.empty()) {
    step("namespaces");
    step(namespace_name);
  }
  step(resource.plural);
  step(name);
  step(subresource);
  return path;
}

ObjectName name_of(const json::object& object) {
  return {std::string(text_in(object, "namespace")), std::string(text_in(object, "name"))};
}

std::string_view text_in(const json::object& object, std::string_view field) {
  const json::object* metadata = metadata_of(object);
  return metadata ? text_of(*metadata, field) : std::string_view{};
}

std::string_view uid_of(const json::object& object) { return text_in(object, "uid"); }

std::string_view resource_version_of(const json::object& object) { return text_in(object, "resourceVersion"); }

std::int64_t generation_of(const json::object& object) {
  const json::object* metadata = metadata_of(object);
  return metadata ? number_of(*metadata, "generation") : 0;
}

std::string_view label_of(const json::object& object, std::string_view key) { return entry_of(object, "labels", key); }

std::string_view annotation_of(const json::object& object, std::string_view key) {
  return entry_of(object, "annotations", key);
}

bool being_deleted(const json::object& object) { return !text_in(object, "deletionTimestamp").empty(); }

const json::value* at(const json::object& object, std::string_view dotted) {
  const json::object* in = &object;
  for (;;) {
    const std::size_t dot = dotted.find('.');
    const json::value* value = in->if_contains(dotted.substr(0, dot));
    if (!value || dot == std::string_view::npos) return value;
    in = value->if_object();
    if (!in) return nullptr;
    dotted.remove_prefix(dot + 1);
  }
}

}  // namespace nuclio::k8s
