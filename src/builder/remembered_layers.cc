// SPDX-License-Identifier: Apache-2.0
#include "builder/remembered_layers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <set>
#include <vector>

#include "loop/descriptor.h"
#include "oci/file.h"
#include "oci/json.h"
#include "schema/json.h"

namespace nuclio::builder {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr Bytes kMaxEntry{64u << 10};
constexpr std::size_t kPiece = 256 << 10;

Result<oci::Layer> read_entry(const std::string& path) {
  TRY(const std::string text, oci::read_whole_file(path, kMaxEntry));
  TRY(const json::value document, schema::parse_json(text));
  const json::object* object = document.if_object();
  const json::value* size = object ? object->if_contains("size") : nullptr;
  if (!size || !size->is_int64() || size->get_int64() < 0) return fail(Why::invalid, path + " has no size");
  TRY(oci::Digest digest, oci::Digest::parse(oci::text_of(*object, "digest")));
  TRY(oci::Digest diff_id, oci::Digest::parse(oci::text_of(*object, "diffId")));
  return oci::Layer{{std::string(oci::text_of(*object, "mediaType")), std::move(digest),
                     Bytes{static_cast<std::uint64_t>(size->get_int64())}},
                    std::move(diff_id)};
}

std::string entry_text(const oci::Layer& layer) {
  return json::serialize(json::object{{"mediaType", layer.blob.media_type},
                                      {"digest", layer.blob.digest.text()},
                                      {"size", static_cast<std::int64_t>(layer.blob.size.count)},
                                      {"diffId", layer.diff_id.text()}});
}

Task<bool> is_intact(Loop& loop, const oci::Layout& layout, const oci::Blob& blob) {
  if (!layout.has(blob)) co_return false;
  const Descriptor file{::open(layout.path(blob.digest).c_str(), O_RDONLY | O_CLOEXEC)};
  oci::Sha256 sum;
  std::vector<char> piece(kPiece);
  for (;;) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) co_return false;
    if (got == 0) co_return sum.finish() == blob.digest;
    sum.update({piece.data(), static_cast<std::size_t>(got)});
    co_await loop.yield();
  }
}

// Both have it then. What is at its place already is not what it should be, unless it is the same file.
Result<void> share(const oci::Layout& from, const oci::Layout& to, const oci::Blob& blob) {
  std::error_code error;
  if (fs::equivalent(from.path(blob.digest), to.path(blob.digest), error)) return {};
  fs::remove(to.path(blob.digest), error);
  return to.take(blob, from, oci::Layout::Share::yes);
}

}  // namespace

Result<RememberedLayers> RememberedLayers::open(std::string folder) {
  TRY(oci::Layout layers, oci::Layout::create(folder + "/layers"));
  return RememberedLayers{std::move(folder), std::move(layers)};
}

Task<std::optional<oci::Layer>> RememberedLayers::find(Loop& loop, std::string key, const oci::Layout& layout) const {
  const auto layer = read_entry(entry(key));
  if (!layer) co_return std::nullopt;
  if (!co_await is_intact(loop, layout, layer->blob)) {
    if (!co_await is_intact(loop, layers_, layer->blob)) co_return std::nullopt;
    if (!share(layers_, layout, layer->blob)) co_return std::nullopt;
  }
  (void)::utimensat(AT_FDCWD, entry(key).c_str(), nullptr, 0);  // of use now
  co_return *layer;
}

Result<void> RememberedLayers::add(const std::string& key, const oci::Layer& layer, const oci::Layout& layout) const {
  TRY_DO(share(layout, layers_, layer.blob));
  TRY(oci::NewFile file, oci::NewFile::create(entry(key)));
  TRY_DO(file.write(entry_text(layer)));
  return file.keep();
}

void RememberedLayers::forget_old(std::size_t most, Bytes most_bytes) const {
  struct Entry {
    fs::path path;
    fs::file_time_type used;
  };
  std::vector<Entry> entries;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(folder_, error))
    if (file.path().extension() == ".json") entries.push_back({file.path(), file.last_write_time(error)});
  std::ranges::sort(entries, std::ranges::greater{}, &Entry::used);

  std::set<std::string> wanted;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto layer = read_entry(entries[i].path.string());
    if (layer && !wanted.contains(std::string(layer->blob.digest.hex()))) total += layer->blob.size.count;
    if (!layer || i >= most || total > most_bytes.count) {
      fs::remove(entries[i].path, error);
    } else {
      wanted.insert(std::string(layer->blob.digest.hex()));
    }
  }
  // Another process may have put one there whose entry is still to come: then that leads to nothing, and the layer is
  // made once more.
  for (const auto& blob : fs::directory_iterator(layers_.folder() + "/blobs/sha256", error))
    if (!wanted.contains(blob.path().filename().string())) fs::remove(blob.path(), error);
}

}  // namespace nuclio::builder
