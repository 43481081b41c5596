// SPDX-License-Identifier: Apache-2.0
#include "oci/image.h"

#include <array>
#include <boost/json.hpp>
#include <ctime>

#include "oci/json.h"
#include "schema/json.h"

namespace nuclio::oci {
namespace {

namespace json = boost::json;

std::string rfc3339(ImageTime time) {
  const std::time_t when = time.time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

// The member, made an object when it is none.
json::object& object_at(json::object& object, std::string_view key) {
  json::value& value = object[key];
  if (!value.is_object()) value = json::object{};
  return value.get_object();
}
json::array& array_at(json::object& object, std::string_view key) {
  json::value& value = object[key];
  if (!value.is_array()) value = json::array{};
  return value.get_array();
}

json::array list_of(const std::vector<std::string>& words) {
  json::array list;
  for (const std::string& word : words) list.push_back(json::string(word));
  return list;
}

void set_variable(json::array& environment, const std::string& name, const std::string& value) {
  const std::string begin = name + "=";
  for (json::value& variable : environment) {
    if (!variable.is_string() || !variable.get_string().starts_with(begin)) continue;
    variable = begin + value;
    return;
  }
  environment.push_back(json::string(begin + value));
}

void change(json::object& config, const ConfigChanges& changes) {
  if (changes.entrypoint) {
    config["Entrypoint"] = list_of(*changes.entrypoint);
    // The base's command would become arguments of the new entry point.
    if (!changes.command) config.erase("Cmd");
  }
  if (changes.command) config["Cmd"] = list_of(*changes.command);
  if (changes.user) config["User"] = *changes.user;
  if (changes.working_directory) config["WorkingDir"] = *changes.working_directory;
  if (!changes.environment.empty()) {
    json::array& environment = array_at(config, "Env");
    for (const auto& [name, value] : changes.environment) set_variable(environment, name, value);
  }
  for (const auto& [name, value] : changes.labels) object_at(config, "Labels")[name] = value;
  for (const int port : changes.exposed_ports)
    object_at(config, "ExposedPorts")[std::to_string(port) + "/tcp"] = json::object{};
}

Result<json::object> parse_config(const std::string& config) {
  auto document = schema::parse_json(config);
  if (!document) return fail(std::move(document).error().in("the image's config"));
  if (!document->is_object()) return fail(Why::invalid, "the image's config must be a JSON object");
  return std::move(document->get_object());
}

std::size_t count_diff_ids(const json::object& config) {
  const json::object* rootfs = object_of(config, "rootfs");
  const json::value* ids = rootfs ? rootfs->if_contains("diff_ids") : nullptr;
  return ids && ids->is_array() ? ids->get_array().size() : 0;
}

}  // namespace

Result<void> check_config(const Manifest& manifest, const std::string& config, const Platform& platform) {
  TRY(const json::object object, parse_config(config));
  const Platform its{std::string(text_of(object, "os")), std::string(text_of(object, "architecture")),
                     std::string(text_of(object, "variant"))};
  const bool fits = its.os == platform.os && its.architecture == platform.architecture;
  if (!fits) return fail(Why::invalid, "the image must be for " + platform.text() + ", is for " + its.text());
  if (const std::size_t ids = count_diff_ids(object); ids != manifest.layers.size())
    return fail(Why::invalid, "the image's config must have a diff_id for each of its " +
                                  std::to_string(manifest.layers.size()) + " layers, has " + std::to_string(ids));
  return {};
}

Result<Image> extend_image(const Image& base, const std::vector<NewLayer>& layers, const ConfigChanges& changes,
                           ImageTime created, const std::map<std::string, std::string>& annotations) {
  TRY(json::object config, parse_config(base.config));
  // What was true of the container in which docker made the base.
  for (const char* key : {"container", "container_config", "docker_version", "id", "parent"}) config.erase(key);
  config["created"] = rfc3339(created);
  change(object_at(config, "config"), changes);
  json::object& rootfs = object_at(config, "rootfs");
  rootfs["type"] = "layers";
  json::array& diff_ids = array_at(rootfs, "diff_ids");
  json::array& history = array_at(config, "history");
  std::vector<Blob> blobs = base.manifest.layers;
  for (const NewLayer& added : layers) {
    diff_ids.push_back(json::string(added.layer.diff_id.text()));
    history.push_back(json::object{{"created", rfc3339(created)}, {"created_by", added.made_by}});
    blobs.push_back(added.layer.blob);
  }
  std::string text = json::serialize(config);
  const Blob blob{std::string(media::kConfig), Digest::of(text), Bytes{text.size()}};
  return Image{make_manifest(blob, blobs, annotations), std::move(text)};
}

Image empty_image(const Platform& platform) {
  json::object config{{"architecture", platform.architecture}, {"os", platform.os}};
  if (!platform.variant.empty()) config["variant"] = platform.variant;
  config["rootfs"] = json::object{{"type", "layers"}, {"diff_ids", json::array{}}};
  std::string text = json::serialize(config);
  const Blob blob{std::string(media::kConfig), Digest::of(text), Bytes{text.size()}};
  return {make_manifest(blob, {}), std::move(text)};
}

}  // namespace nuclio::oci
