// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "oci/archive.h"
#include "oci/archive_reader.h"
#include "oci/json.h"
#include "oci/layer.h"
#include "schema/json.h"

namespace nuclio::oci {
namespace {

namespace json = boost::json;

// What an archive held, by name. All of it lies in the layout as blobs; what no image names is removed in the end.
struct Content {
  std::map<std::string, Blob> files;
  std::map<std::string, std::string> links;  // older versions of docker link equal layers to each other
  std::set<Digest> fresh;                    // were not in the layout before
  std::set<Digest> needed;                   // are named by an image

  const Blob* find(const std::string& name) const {
    const auto link = links.find(name);
    std::string looked_for = name;
    if (link != links.end())
      looked_for = (std::filesystem::path(name).parent_path() / link->second).lexically_normal().string();
    const auto found = files.find(looked_for);
    return found == files.end() ? nullptr : &found->second;
  }
};

std::string clean(const std::string& name) { return std::filesystem::path(name).lexically_normal().string(); }

std::string_view layer_type(std::string_view begin) {
  if (begin.starts_with("\x1f\x8b")) return media::kLayerGzip;
  if (begin.starts_with("\x28\xb5\x2f\xfd")) return media::kLayerZstd;
  return media::kLayer;
}

Task<Result<Blob>> take_file(Loop& loop, ArchiveReader& reader, const Layout& layout, std::uint64_t& left,
                             Content& content) {
  CO_TRY(NewFile file, layout.new_blob());
  Sha256 sum;
  std::uint64_t size = 0;
  std::string_view type = media::kLayer;
  for (;;) {
    CO_TRY(const std::string_view piece, reader.read());
    if (piece.empty()) break;
    if (piece.size() > left) co_return fail(Why::too_large, "its files are too large together");
    left -= piece.size();
    if (size == 0) type = layer_type(piece);
    size += piece.size();
    sum.update(piece);
    CO_TRY_DO(file.write(piece));
    co_await loop.yield();
  }
  Blob blob{std::string(type), sum.finish(), Bytes{size}};
  if (!layout.has(blob)) {
    CO_TRY_DO(layout.keep(file, blob.digest));
    content.fresh.insert(blob.digest);
  }
  co_return std::move(blob);
}

Task<Result<void>> take_all(Loop& loop, const std::string& path, const Layout& layout, ArchiveLimits limits,
                            Content& content) {
  CO_TRY(ArchiveReader reader, ArchiveReader::open(path));
  std::uint64_t left = limits.total.count;
  for (std::size_t count = 0;; ++count) {
    CO_TRY(const auto entry, reader.next());
    if (!entry) co_return Result<void>{};
    if (count >= limits.entries)
      co_return fail(Why::too_large, "it must have at most " + std::to_string(limits.entries) + " files");
    if (entry->kind == ArchiveEntry::Kind::symbolic_link) content.links[clean(entry->name)] = entry->target;
    if (entry->kind != ArchiveEntry::Kind::file) continue;
    CO_TRY(Blob blob, co_await take_file(loop, reader, layout, left, content));
    content.files.insert_or_assign(clean(entry->name), std::move(blob));
  }
}

// An image that was found, and one of its names.
struct Listed {
  Blob manifest;
  std::string name;
};

std::unexpected<Error> missing(const std::string& what) {
  return fail(Why::invalid, "it must have " + what + ", which is missing");
}

// An image of docker's: [{"Config": "x.json", "RepoTags": ["a:1"], "Layers": ["y.tar"]}]
Task<Result<std::vector<Listed>>> list_docker_image(Loop& loop, const json::value& value, const Layout& layout,
                                                    Bytes most, Content& content) {
  const json::object* said = value.if_object();
  if (!said) co_return fail(Why::invalid, "manifest.json must be a list of objects");
  const std::string config_name(text_of(*said, "Config"));
  const Blob* config_file = content.find(config_name);
  if (!config_file) co_return missing("the config " + config_name);
  Blob config{std::string(media::kConfig), config_file->digest, config_file->size};
  CO_TRY(const std::string config_text, layout.read(config, kMaxConfig));
  const auto document = schema::parse_json(config_text);
  const json::object* object = document ? document->if_object() : nullptr;
  const json::object* rootfs = object ? object_of(*object, "rootfs") : nullptr;
  const json::value* ids = rootfs ? rootfs->if_contains("diff_ids") : nullptr;
  const json::value* names = said->if_contains("Layers");
  if (!ids || !ids->is_array() || !names || !names->is_array() || ids->get_array().size() != names->get_array().size())
    co_return fail(Why::invalid, "the config " + config_name + " must have a diff_id for each of the image's layers");
  std::vector<Blob> layers;
  content.needed.insert(config.digest);
  for (std::size_t i = 0; i < names->get_array().size(); ++i) {
    const json::value& name = names->get_array()[i];
    const Blob* layer = name.is_string() ? content.find(std::string(name.get_string())) : nullptr;
    if (!layer) co_return missing("the layer " + json::serialize(name));
    const json::value& said_id = ids->get_array()[i];
    CO_TRY(const Digest diff_id, co_await find_diff_id(loop, layout.path(layer->digest), most));
    if (said_id != json::value(diff_id.text()))
      co_return fail(Why::invalid, "the layer " + json::serialize(name) + " must have the digest " +
                                       json::serialize(said_id) + ", has " + diff_id.text());
    content.needed.insert(layer->digest);
    layers.push_back(*layer);
  }
  const Manifest manifest = make_manifest(config, layers);
  const Blob blob = manifest.blob();
  if (!layout.has(blob)) content.fresh.insert(blob.digest);
  CO_TRY_DO(layout.add(media::kManifest, manifest.text));
  content.needed.insert(blob.digest);
  std::vector<Listed> listed;
  const json::value* tags = said->if_contains("RepoTags");
  if (tags && tags->is_array())
    for (const json::value& tag : tags->get_array())
      if (tag.is_string()) listed.push_back({blob, std::string(tag.get_string())});
  if (listed.empty()) listed.push_back({blob, blob.digest.text()});
  co_return std::move(listed);
}

Task<Result<std::vector<Listed>>> list_docker_images(Loop& loop, const Blob& list, const Layout& layout, Bytes most,
                                                     Content& content) {
  CO_TRY(const std::string text, layout.read(list, kMaxManifest));
  auto document = schema::parse_json(text);
  if (!document) co_return fail(std::move(document).error().in("manifest.json"));
  if (!document->is_array()) co_return fail(Why::invalid, "manifest.json must be a list of objects");
  std::vector<Listed> all;
  for (const json::value& value : document->get_array()) {
    CO_TRY(const auto listed, co_await list_docker_image(loop, value, layout, most, content));
    all.insert(all.end(), listed.begin(), listed.end());
  }
  co_return std::move(all);
}

// Keeps what a manifest or index names, down to the layers.
Result<void> keep_named(const Blob& blob, const Layout& layout, Content& content, int depth) {
  if (!layout.has(blob)) return missing("the blob " + blob.digest.text());
  content.needed.insert(blob.digest);
  if (depth > 2) return fail(Why::invalid, "its indexes must be nested at most twice");
  TRY(std::string text, layout.read(blob, kMaxManifest));
  TRY(const auto parsed, parse_manifest(blob.media_type, std::move(text)));
  if (const auto* index = std::get_if<Index>(&parsed)) {
    for (const Index::Entry& entry : index->manifests) TRY_DO(keep_named(entry.manifest, layout, content, depth + 1));
    return {};
  }
  const auto& manifest = std::get<Manifest>(parsed);
  std::vector<Blob> named = manifest.layers;
  named.push_back(manifest.config);
  for (const Blob& part : named) {
    if (!layout.has(part)) return missing("the blob " + part.digest.text());
    content.needed.insert(part.digest);
  }
  return {};
}

Result<std::vector<Listed>> list_oci_images(const Blob& list, const Layout& layout, Content& content) {
  TRY(std::string text, layout.read(list, kMaxManifest));
  auto parsed = parse_manifest(media::kIndex, std::move(text));
  if (!parsed) return fail(std::move(parsed).error().in("index.json"));
  std::vector<Listed> all;
  for (const Index::Entry& entry : std::get<Index>(*parsed).manifests) {
    TRY_DO(keep_named(entry.manifest, layout, content, 0));
    const auto named = entry.annotations.find(std::string(kRefName));
    all.push_back({entry.manifest, named == entry.annotations.end() ? entry.manifest.digest.text() : named->second});
  }
  return all;
}

Task<Result<std::vector<Listed>>> take_images(Loop& loop, const std::string& path, const Layout& layout,
                                              ArchiveLimits limits, Content& content) {
  CO_TRY_DO(co_await take_all(loop, path, layout, limits, content));
  if (const Blob* docker = content.find("manifest.json"))
    co_return co_await list_docker_images(loop, *docker, layout, limits.total, content);
  const Blob* oci = content.find("index.json");
  if (oci && content.find("oci-layout")) co_return list_oci_images(*oci, layout, content);
  co_return fail(Why::invalid,
                 "it must be an archive of images with manifest.json (docker) or oci-layout and index.json");
}

}  // namespace

Task<Result<std::vector<std::string>>> read_archive(Loop& loop, std::string path, const Layout& layout,
                                                    ArchiveLimits limits) {
  Content content;
  auto images = co_await take_images(loop, path, layout, limits, content);
  std::error_code ignored;
  for (const Digest& digest : content.fresh)
    if (!images || !content.needed.contains(digest)) std::filesystem::remove(layout.path(digest), ignored);
  if (!images) co_return fail(std::move(images).error().in(path));
  std::vector<std::string> names;
  for (const Listed& image : *images) {
    CO_TRY_DO(layout.name(image.manifest, image.name));
    names.push_back(image.name);
  }
  co_return std::move(names);
}

}  // namespace nuclio::oci
