// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <set>

#include "oci/archive.h"
#include "oci/put_file.h"
#include "oci/tar_writer.h"

namespace nuclio::oci {
namespace {

namespace json = boost::json;

// A tar that is there whole or not at all.
class ArchiveFile {
 public:
  ArchiveFile(Loop& loop, const Layout& layout, NewFile& file, ImageTime modified)
      : loop_(loop), layout_(layout), file_(file), modified_(modified) {}

  Result<void> folder(const std::string& name) {
    return tar_.begin({.kind = TarEntry::Kind::folder, .name = name, .mode = 0755, .modified = modified_});
  }
  Result<void> text(const std::string& name, std::string_view text) {
    TRY_DO(tar_.begin({.name = name, .modified = modified_, .size = Bytes{text.size()}}));
    return tar_.data(text);
  }
  Task<Result<void>> blob(std::string name, const Blob& blob) {
    if (!layout_.has(blob))
      co_return fail(Why::not_found, "the layer " + blob.digest.text() + " is not in " + layout_.folder());
    const TarEntry entry{.name = std::move(name), .modified = modified_, .size = blob.size};
    const std::string path = layout_.path(blob.digest);
    co_return co_await put_file(loop_, tar_, entry, path);
  }
  Result<void> finish() {
    TRY_DO(tar_.finish());
    return file_.keep();
  }

 private:
  Loop& loop_;
  const Layout& layout_;
  NewFile& file_;
  ImageTime modified_;
  TarWriter tar_{[this](std::string_view bytes) { return file_.write(bytes); }};
};

// Docker looks at the first bytes to see how a layer is compressed; the ending is for people.
std::string layer_name(const Blob& layer) {
  std::string name(layer.digest.hex());
  name += ".tar";
  if (layer.media_type.ends_with("gzip")) name += ".gz";
  if (layer.media_type.ends_with("zstd")) name += ".zst";
  return name;
}

}  // namespace

Task<Result<void>> write_docker_archive(Loop& loop, const Layout& layout, const Image& image,
                                        const ArchiveTarget& target) {
  CO_TRY(NewFile file, NewFile::create(target.path));
  ArchiveFile archive{loop, layout, file, target.modified};
  const std::string config = std::string(image.manifest.config.digest.hex()) + ".json";
  json::array layers;
  std::set<Digest> written;
  for (const Blob& layer : image.manifest.layers) {
    layers.push_back(json::string(layer_name(layer)));
    if (!written.insert(layer.digest).second) continue;
    CO_TRY_DO(co_await archive.blob(layer_name(layer), layer));
  }
  CO_TRY_DO(archive.text(config, image.config));
  json::object entry{
      {"Config", config}, {"RepoTags", json::array{json::string(target.name)}}, {"Layers", std::move(layers)}};
  json::array manifest;
  manifest.push_back(std::move(entry));
  CO_TRY_DO(archive.text("manifest.json", json::serialize(manifest)));
  co_return archive.finish();
}

Task<Result<void>> write_oci_archive(Loop& loop, const Layout& layout, const Image& image,
                                     const ArchiveTarget& target) {
  CO_TRY(NewFile file, NewFile::create(target.path));
  ArchiveFile archive{loop, layout, file, target.modified};
  const Blob manifest = image.manifest.blob();
  const Index::Entry entry{manifest, {.os = ""}, {{std::string(kRefName), target.name}}};
  CO_TRY_DO(archive.text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  CO_TRY_DO(archive.text("index.json", index_text({entry})));
  CO_TRY_DO(archive.folder("blobs"));
  CO_TRY_DO(archive.folder("blobs/sha256"));
  const std::string blobs = "blobs/sha256/";
  CO_TRY_DO(archive.text(blobs + std::string(manifest.digest.hex()), image.manifest.text));
  CO_TRY_DO(archive.text(blobs + std::string(image.manifest.config.digest.hex()), image.config));
  std::set<Digest> written;
  for (const Blob& layer : image.manifest.layers) {
    if (!written.insert(layer.digest).second) continue;
    CO_TRY_DO(co_await archive.blob(blobs + std::string(layer.digest.hex()), layer));
  }
  co_return archive.finish();
}

}  // namespace nuclio::oci
