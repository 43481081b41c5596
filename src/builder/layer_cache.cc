// SPDX-License-Identifier: Apache-2.0
#include "builder/layer_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>
#include <variant>

#include "oci/digest.h"
#include "oci/file.h"

namespace nuclio::builder {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilesBetweenYields = 500;
constexpr std::size_t kMostKnown = 500;
constexpr auto kInUse = std::chrono::hours{1};

// What is looked at of a file, to tell whether it is the one that was seen before.
Result<void> look_at(oci::Sha256& key, const std::string& path, const std::string& name, bool& is_folder) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return fail_errno("reading " + path);
  is_folder = S_ISDIR(status.st_mode);
  std::string line = name;
  line += '\0';
  line += std::to_string(status.st_mode);
  // The times of a folder say nothing that its files do not.
  if (!is_folder) {
    for (const long number : {static_cast<long>(status.st_size), static_cast<long>(status.st_mtim.tv_sec),
                              status.st_mtim.tv_nsec, static_cast<long>(status.st_ctim.tv_sec), status.st_ctim.tv_nsec})
      line += "," + std::to_string(number);
  }
  line += '\n';
  key.update(line);
  return {};
}

Task<Result<void>> look_at_all(Loop& loop, oci::Sha256& key, oci::LayerPart part, std::size_t most) {
  std::vector<std::pair<std::string, std::string>> open{{std::move(part.from), std::move(part.to)}};
  for (std::size_t seen = 1; !open.empty(); ++seen) {
    // Whoever writes the layer says what is too much; here it only ends the look.
    if (seen > most) co_return Result<void>{};
    auto [path, name] = std::move(open.back());
    open.pop_back();
    bool is_folder = false;
    CO_TRY_DO(look_at(key, path, name, is_folder));
    if (seen % kFilesBetweenYields == 0) co_await loop.yield();
    if (!is_folder) continue;
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
      names.push_back(entry->path().filename().string());
    if (error) co_return fail(errno_error("reading " + path, error.value()));
    std::ranges::sort(names, std::greater{});
    for (const std::string& each : names) open.emplace_back(path + "/" + each, name + "/" + each);
  }
  co_return Result<void>{};
}

}  // namespace

Result<LayerCache> LayerCache::open(const std::string& folder) {
  TRY(oci::Layout layout, oci::Layout::create(folder + "/layers"));
  TRY(RememberedLayers known, RememberedLayers::open(folder + "/known"));
  std::error_code error;
  fs::create_directories(folder + "/bases", error);
  if (error) return fail(errno_error("making the folder " + folder + "/bases", error.value()));
  return LayerCache{folder, std::move(layout), std::move(known)};
}

Task<Result<oci::Layer>> LayerCache::layer_of(Loop& loop, std::vector<oci::LayerPart> parts,
                                              oci::LayerOptions options) {
  oci::Sha256 sum;
  sum.update("1 " + std::to_string(options.modified.time_since_epoch().count()) + "\n");
  for (const oci::LayerPart& part : parts) CO_TRY_DO(co_await look_at_all(loop, sum, part, options.limits.entries));
  const std::string key{sum.finish().hex()};
  if (auto layer = co_await known_.find(loop, key, layout_)) {
    mark_used(layer->blob);
    co_return std::move(*layer);
  }
  CO_TRY(oci::Layer layer, co_await oci::write_layer(loop, layout_, std::move(parts), options));
  // The layer is there: what it costs is that it is written again next time.
  (void)known_.add(key, layer, layout_);
  co_return std::move(layer);
}

void LayerCache::mark_used(const oci::Blob& layer) const {
  std::error_code ignored;  // of use to others only
  fs::last_write_time(layout_.path(layer.digest), fs::file_time_type::clock::now(), ignored);
}

std::optional<oci::Image> LayerCache::image_of(const std::string& name) const {
  const std::string path = folder_ + "/bases/" + std::string(oci::Digest::of(name).hex());
  auto text = oci::read_whole_file(path, oci::kMaxManifest);
  if (!text) return std::nullopt;
  // What is damaged is looked up again.
  auto parsed = oci::parse_manifest("", std::move(*text));
  if (!parsed || !std::holds_alternative<oci::Manifest>(*parsed)) return std::nullopt;
  oci::Image image{std::get<oci::Manifest>(std::move(*parsed)), {}};
  auto config = layout_.read(image.manifest.config, oci::kMaxConfig);
  if (!config) return std::nullopt;
  image.config = std::move(*config);
  return image;
}

Result<void> LayerCache::remember_image(const std::string& name, const oci::Image& image) const {
  TRY_DO(layout_.add(image.manifest.config.media_type, image.config));
  TRY(oci::NewFile file, oci::NewFile::create(folder_ + "/bases/" + std::string(oci::Digest::of(name).hex())));
  TRY_DO(file.write(image.manifest.text));
  return file.keep();
}

void LayerCache::trim(Bytes keep) const {
  struct Kept {
    fs::file_time_type used;
    fs::path path;
    std::uintmax_t size;
  };
  known_.forget_old(kMostKnown, keep);
  std::vector<Kept> files;
  std::uint64_t total = 0;
  std::error_code error;
  for (fs::directory_iterator entry(layout_.folder() + "/blobs/sha256", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    const Kept file{entry->last_write_time(gone), entry->path(), entry->file_size(gone)};
    if (gone) continue;
    total += file.size;
    files.push_back(file);
  }
  if (total <= keep.count) return;
  std::ranges::sort(files, {}, &Kept::used);
  const auto recent = fs::file_time_type::clock::now() - kInUse;
  for (const Kept& file : files) {
    if (total <= keep.count || file.used > recent) return;
    std::error_code ignored;
    if (fs::remove(file.path, ignored)) total -= file.size;
  }
}

}  // namespace nuclio::builder
