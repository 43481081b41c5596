// SPDX-License-Identifier: Apache-2.0
#include "images/make_image.h"

#include <boost/json.hpp>
#include <utility>
#include <vector>

#include "oci/image.h"
#include "oci/layer.h"
#include "oci/layout.h"
#include "oci/tar_layer.h"
#include "oci/transfer.h"
#include "schema/describe.h"
#include "schema/json.h"

namespace nuclio::images {
namespace {

constexpr Bytes kMaxRecipe{1u << 20};
constexpr Bytes kMaxTar{8ull << 30};

Result<oci::Image> find_base(const std::string& folder, const oci::Layout& target) {
  const oci::Platform platform = oci::this_platform();
  if (folder.empty()) return oci::empty_image(platform);
  TRY(const oci::Layout layout, oci::Layout::open(folder));
  TRY(const oci::Blob blob, layout.find(""));
  TRY(oci::Image image, oci::read_image(layout, blob));
  TRY_DO(oci::check_config(image.manifest, image.config, platform));
  // A second name for the same file takes neither time nor space.
  for (const oci::Blob& layer : image.manifest.layers) TRY_DO(target.take(layer, layout, oci::Layout::Share::yes));
  return image;
}

oci::ConfigChanges changes_of(const Recipe& recipe) {
  oci::ConfigChanges changes;
  if (!recipe.entrypoint.empty()) changes.entrypoint = recipe.entrypoint;
  if (!recipe.command.empty()) changes.command = recipe.command;
  changes.environment.assign(recipe.environment.begin(), recipe.environment.end());
  changes.labels = recipe.labels;
  changes.exposed_ports = recipe.ports;
  if (!recipe.user.empty()) changes.user = recipe.user;
  if (!recipe.working_directory.empty()) changes.working_directory = recipe.working_directory;
  return changes;
}

}  // namespace

Result<Recipe> read_recipe(const std::string& path) {
  TRY(const std::string text, oci::read_whole_file(path, kMaxRecipe));
  auto json = schema::parse_json(text);
  if (!json) return fail(std::move(json).error().in(path));
  auto loaded = schema::read<Recipe>(*json);
  if (!loaded) return fail(std::move(loaded).error().in(path));
  return std::move(loaded->config);
}

Task<Result<oci::Digest>> make_image(Loop& loop, const Recipe& recipe, std::string folder) {
  CO_TRY(const oci::Layout layout, oci::Layout::create(std::move(folder)));
  CO_TRY(const oci::Image base, find_base(recipe.base, layout));
  const oci::ImageTime created{std::chrono::seconds{recipe.created}};
  std::vector<oci::NewLayer> layers;
  for (const std::string& tar : recipe.tars) {
    CO_TRY(oci::Layer layer, co_await oci::write_tar_layer(loop, layout, tar, kMaxTar));
    layers.push_back({std::move(layer), "nuclio: Debian packages"});
  }
  if (!recipe.parts.empty()) {
    std::vector<oci::LayerPart> parts;
    for (const Part& part : recipe.parts) parts.push_back({part.from, part.to});
    CO_TRY(oci::Layer layer, co_await oci::write_layer(loop, layout, std::move(parts), {.modified = created}));
    layers.push_back({std::move(layer), "nuclio: programs"});
  }
  CO_TRY(const oci::Image image, oci::extend_image(base, layers, changes_of(recipe), created, recipe.labels));
  CO_TRY_DO(layout.add(image.manifest.config.media_type, image.config));
  CO_TRY(const oci::Blob manifest, layout.add(image.manifest.media_type, image.manifest.text));
  for (const std::string& tag : recipe.tags) CO_TRY_DO(layout.name(manifest, tag));
  co_return manifest.digest;
}

}  // namespace nuclio::images
