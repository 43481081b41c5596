// SPDX-License-Identifier: Apache-2.0
#include "oci/manifest.h"

#include <sys/utsname.h>

#include <algorithm>
#include <boost/json.hpp>

#include "oci/json.h"
#include "schema/json.h"

namespace nuclio::oci {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxEntries = 1000;

bool is_index(std::string_view type) { return type == media::kIndex || type == media::kDockerIndex; }
bool is_manifest(std::string_view type) { return type == media::kManifest || type == media::kDockerManifest; }

std::string quoted(std::string_view text) { return "\"" + std::string(text.substr(0, 150)) + "\""; }

Result<Blob> read_blob(const json::value& value, std::string_view what) {
  const auto wrong = [&](const std::string& says) { return fail(Why::invalid, std::string(what) + " " + says); };
  const json::object* object = value.if_object();
  if (!object) return wrong("must be an object");
  const json::value* size = object->if_contains("size");
  if (!size || !size->is_int64() || size->get_int64() < 0) return wrong("must have its size in bytes");
  auto digest = Digest::parse(text_of(*object, "digest"));
  if (!digest) return wrong("must have its digest: " + digest.error().what);
  return Blob{std::string(text_of(*object, "mediaType")), std::move(*digest),
              Bytes{static_cast<std::uint64_t>(size->get_int64())}};
}

Result<const json::array*> list_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::array* list = value ? value->if_array() : nullptr;
  if (!list) return fail(Why::invalid, quoted(key) + " must be a list");
  if (list->size() > kMaxEntries)
    return fail(Why::too_large, quoted(key) + " must have at most 1000 entries, has " + std::to_string(list->size()));
  return list;
}

Result<Index> read_index(const json::object& object, std::string_view media_type) {
  Index index{.media_type = std::string(media_type), .manifests = {}};
  TRY(const json::array* list, list_of(object, "manifests"));
  for (const json::value& item : *list) {
    TRY(Blob blob, read_blob(item, "manifests[" + std::to_string(index.manifests.size()) + "]"));
    Platform platform{.os = "", .architecture = "", .variant = ""};
    if (const json::object* said = object_of(item.get_object(), "platform"))
      platform = {std::string(text_of(*said, "os")), std::string(text_of(*said, "architecture")),
                  std::string(text_of(*said, "variant"))};
    Index::Entry entry{std::move(blob), std::move(platform), {}};
    if (const json::object* notes = object_of(item.get_object(), "annotations"))
      for (const auto& [key, note] : *notes)
        if (note.is_string()) entry.annotations[key] = note.get_string();
    index.manifests.push_back(std::move(entry));
  }
  return index;
}

Result<Manifest> read_image(const json::object& object, std::string_view media_type, std::string text) {
  const json::value* config = object.if_contains("config");
  TRY(Blob config_blob, read_blob(config ? *config : json::value(), "\"config\""));
  if (config_blob.size > kMaxConfig)
    return fail(Why::too_large,
                "the image's config must have at most 8 MiB, has " + std::to_string(config_blob.size.count) + " bytes");
  Manifest manifest{std::string(media_type), std::move(text), std::move(config_blob), {}};
  TRY(const json::array* list, list_of(object, "layers"));
  for (const json::value& item : *list) {
    TRY(Blob layer, read_blob(item, "layers[" + std::to_string(manifest.layers.size()) + "]"));
    manifest.layers.push_back(std::move(layer));
  }
  return manifest;
}

std::string_view as_oci(std::string_view media_type) {
  if (media_type == media::kDockerLayerGzip) return media::kLayerGzip;
  if (media_type == media::kDockerLayer) return media::kLayer;
  if (media_type == media::kDockerConfig) return media::kConfig;
  return media_type;
}

json::object write(const Blob& blob) {
  return {{"mediaType", as_oci(blob.media_type)}, {"digest", blob.digest.text()}, {"size", blob.size.count}};
}

bool fits(const Platform& there, const Platform& wanted) {
  return there.os == wanted.os && there.architecture == wanted.architecture;
}

}  // namespace

std::string Platform::text() const {
  return os + "/" + architecture + (variant.empty() ? std::string() : "/" + variant);
}

Platform this_platform() {
  utsname name{};
  ::uname(&name);
  const std::string_view machine = name.machine;
  Platform platform;
  platform.architecture = machine == "x86_64" ? "amd64" : machine == "aarch64" ? "arm64" : machine;
  return platform;
}

Result<std::variant<Manifest, Index>> parse_manifest(std::string_view media_type, std::string text) {
  if (text.size() > kMaxManifest.count)
    return fail(Why::too_large, "a manifest must have at most 4 MiB, has " + std::to_string(text.size()) + " bytes");
  TRY(const json::value document, schema::parse_json(text));
  const json::object* object = document.if_object();
  if (!object) return fail(Why::invalid, "a manifest must be a JSON object");
  const json::value* version = object->if_contains("schemaVersion");
  if (media_type.find(".v1+prettyjws") != media_type.npos || media_type.ends_with("distribution.manifest.v1+json") ||
      (version && *version == 1))
    return fail(Why::invalid,
                "this image is kept in Docker's retired schema 1, which nobody makes any more; push it again with a "
                "tool of today, such as `skopeo copy --format oci` from where it was built");
  if (!version || *version != 2) return fail(Why::invalid, "a manifest must have the schemaVersion 2");
  const std::string_view said = text_of(*object, "mediaType");
  if (!said.empty() && !media_type.empty() && said != media_type)
    return fail(Why::invalid, "the manifest came as " + quoted(media_type) + " and says of itself that it is " +
                                  quoted(said) + "; one of the two is not true");
  std::string_view type = media_type.empty() ? said : media_type;
  // A layout of an old tool names neither.
  if (type.empty()) type = object->contains("manifests") ? media::kIndex : media::kManifest;
  if (is_index(type) && object->contains("layers"))
    return fail(Why::invalid, "an index must not have layers");  // two readings of one digest are an attack
  if (is_manifest(type) && object->contains("manifests"))
    return fail(Why::invalid, "a manifest must not list manifests");
  if (is_index(type)) return read_index(*object, type);
  if (is_manifest(type)) {
    const std::string kept(type);
    return read_image(*object, kept, std::move(text));
  }
  return fail(Why::invalid, "must be the manifest or index of an image, is of type " + quoted(type));
}

Result<Blob> choose(const Index& index, const Platform& platform) {
  const Index::Entry* best = nullptr;
  std::string there;
  for (const Index::Entry& entry : index.manifests) {
    if (!fits(entry.platform, platform)) {
      const std::string text = entry.platform.text();
      // Signatures and the like stand there as unknown/unknown.
      if (!entry.platform.os.empty() && entry.platform.os != "unknown" && there.size() < 500)
        there += (there.empty() ? "" : ", ") + text;
      continue;
    }
    if (entry.platform.variant == platform.variant) return entry.manifest;
    if (!best && (entry.platform.variant.empty() || platform.variant.empty())) best = &entry;
  }
  if (best) return best->manifest;
  return fail(Why::not_found, "there is no image for " + platform.text() + "; there is one for " +
                                  (there.empty() ? std::string("no platform at all") : there));
}

Manifest make_manifest(const Blob& config, const std::vector<Blob>& layers,
                       const std::map<std::string, std::string>& annotations) {
  json::array list;
  std::vector<Blob> kept;
  for (const Blob& layer : layers) {
    list.push_back(write(layer));
    kept.push_back({std::string(as_oci(layer.media_type)), layer.digest, layer.size});
  }
  json::object object{
      {"schemaVersion", 2}, {"mediaType", media::kManifest}, {"config", write(config)}, {"layers", std::move(list)}};
  if (!annotations.empty()) {
    json::object notes;
    for (const auto& [key, value] : annotations) notes[key] = value;
    object["annotations"] = std::move(notes);
  }
  Blob own_config{std::string(as_oci(config.media_type)), config.digest, config.size};
  return {std::string(media::kManifest), json::serialize(object), std::move(own_config), std::move(kept)};
}

}  // namespace nuclio::oci
