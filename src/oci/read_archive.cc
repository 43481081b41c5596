// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "oci/archive.h"
#include "oci/archive_reader.h"
#include "oci/json.h"
#include "schema/json.h"

namespace nuclio::oci {
namespace {

namespace json = boost::json;

// What an archive held, by name. All of it lies in the layout as blobs; what no image names is removed in the end.
struct Content {
  std::map<std::string, Blob> files;
  std::map<std::string, std::string> links;  // older versions of docker link equal layers to each other
  std::set<Digest> fresh;                    // were not in the layout before

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

std::unexpected<Error> missing(const std::string& what) {
  return fail(Why::invalid, "it must have " + what + ", which is missing");
}

// An image of docker's: [{"Config": "x.json", "RepoTags": ["a:1"], "Layers": ["y.tar"]}]
Result<std::vector<std::string>> list_docker_image(const json::value& value, const Layout& layout, Content& content) {
  const json::object* said = value.if_object();
  if (!said) return fail(Why::invalid, "manifest.json must be a list of objects");
  const std::string config_name(text_of(*said, "Config"));
  const Blob* config_file = content.find(config_name);
  if (!config_file) return missing("the config " + config_name);
  Blob config{std::string(media::kConfig), config_file->digest, config_file->size};
  TRY(const std::string config_text, layout.read(config, kMaxConfig));
  const auto document = schema::parse_json(config_text);
  const json::object* object = document ? document->if_object() : nullptr;
  const json::object* rootfs = object ? object_of(*object, "rootfs") : nullptr;
  const json::value* ids = rootfs ? rootfs->if_contains("diff_ids") : nullptr;
  const json::value* names = said->if_contains("Layers");
  if (!ids || !ids->is_array() || !names || !names->is_array() || ids->get_array().size() != names->get_array().size())
    return fail(Why::invalid, "the config " + config_name + " must have a diff_id for each of the image's layers");
  std::vector<Blob> layers;
  content.fresh.erase(config.digest);
  for (std::size_t i = 0; i < names->get_array().size(); ++i) {
    const json::value& name = names->get_array()[i];
    const Blob* layer = name.is_string() ? content.find(std::string(name.get_string())) : nullptr;
    if (!layer) return missing("the layer " + json::serialize(name));
    if (layer->media_type == media::kLayer && ids->get_array()[i] != json::value(layer->digest.text()))
      return fail(Why::invalid, "the layer " + json::serialize(name) + " must have the digest " +
                                    json::serialize(ids->get_array()[i]) + ", has " + layer->digest.text());
    content.fresh.erase(layer->digest);
    layers.push_back(*layer);
  }
  TRY(const Blob manifest, layout.add(media::kManifest, make_manifest(config, layers).text));
  std::vector<std::string> listed;
  const json::value* tags = said->if_contains("RepoTags");
  if (tags && tags->is_array())
    for (const json::value& tag : tags->get_array())
      if (tag.is_string()) listed.emplace_back(tag.get_string());
  if (listed.empty()) listed.push_back(manifest.digest.text());
  for (const std::string& name : listed) TRY_DO(layout.name(manifest, name));
  return listed;
}

Result<std::vector<std::string>> list_docker_images(const Blob& list, const Layout& layout, Content& content) {
  TRY(const std::string text, layout.read(list, kMaxManifest));
  auto document = schema::parse_json(text);
  if (!document) return fail(std::move(document).error().in("manifest.json"));
  if (!document->is_array()) return fail(Why::invalid, "manifest.json must be a list of objects");
  std::vector<std::string> all;
  for (const json::value& value : document->get_array()) {
    TRY(const auto names, list_docker_image(value, layout, content));
    all.insert(all.end(), names.begin(), names.end());
  }
  return all;
}

// Keeps what a manifest or index names, down to the layers.
Result<void> keep_named(const Blob& blob, const Layout& layout, Content& content, int depth) {
  if (!layout.has(blob)) return missing("the blob " + blob.digest.text());
  content.fresh.erase(blob.digest);
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
    content.fresh.erase(part.digest);
  }
  return {};
}

Result<std::vector<std::string>> list_oci_images(const Blob& list, const Layout& layout, Content& content) {
  TRY(std::string text, layout.read(list, kMaxManifest));
  auto parsed = parse_manifest(media::kIndex, std::move(text));
  if (!parsed) return fail(std::move(parsed).error().in("index.json"));
  std::vector<std::string> all;
  for (const Index::Entry& entry : std::get<Index>(*parsed).manifests) {
    TRY_DO(keep_named(entry.manifest, layout, content, 0));
    const auto named = entry.annotations.find(std::string(kRefName));
    all.push_back(named == entry.annotations.end() ? entry.manifest.digest.text() : named->second);
    TRY_DO(layout.name(entry.manifest, all.back()));
  }
  return all;
}

}  // namespace

Task<Result<std::vector<std::string>>> read_archive(Loop& loop, std::string path, const Layout& layout,
                                                    ArchiveLimits limits) {
  Content content;
  Result<std::vector<std::string>> names = std::vector<std::string>{};
  if (auto taken = co_await take_all(loop, path, layout, limits, content); !taken) {
    names = fail(std::move(taken).error());
  } else if (const Blob* docker = content.find("manifest.json")) {
    names = list_docker_images(*docker, layout, content);
  } else if (const Blob* oci = content.find("index.json"); oci && content.find("oci-layout")) {
    names = list_oci_images(*oci, layout, content);
  } else {
    names =
        fail(Why::invalid, "it must be an archive of images with manifest.json (docker) or oci-layout and index.json");
  }
  std::error_code ignored;
  for (const Digest& digest : content.fresh) std::filesystem::remove(layout.path(digest), ignored);
  if (!names) co_return fail(std::move(names).error().in(path));
  co_return names;
}

}  // namespace nuclio::oci
