// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "builder/remembered_layers.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/image.h"
#include "oci/layer.h"
#include "oci/layout.h"

namespace nuclio::builder {

// Layers of folders that seldom change, kept between builds: a program of twenty megabytes takes a second to compress,
// and to see that it is the same a thousandth. Several processes may use one folder at once.
class LayerCache {
 public:
  // Makes what is missing of the folder.
  static Result<LayerCache> open(const std::string& folder);

  // Where the layers are, and what else a build keeps as a blob.
  const oci::Layout& layout() const { return layout_; }

  // write_layer() into the layout, unless the same was written before. Files are the same when their names, sizes,
  // modes and times are, as for make; a folder whose files are changed behind their times gives the older layer.
  Task<Result<oci::Layer>> layer_of(Loop& loop, std::vector<oci::LayerPart> parts, oci::LayerOptions options);

  // Says that a build is about to use a layer, which trim() then spares.
  void mark_used(const oci::Blob& layer) const;

  // The image that had a name when it was last looked up, without its layers; nothing when it never was.
  std::optional<oci::Image> image_of(const std::string& name) const;
  Result<void> remember_image(const std::string& name, const oci::Image& image) const;

  // Removes what was used longest ago until at most `keep` bytes are left, sparing the last hour's, of which a build
  // may be in the middle.
  void trim(Bytes keep) const;

 private:
  LayerCache(std::string folder, oci::Layout layout, RememberedLayers known)
      : folder_(std::move(folder)), layout_(std::move(layout)), known_(std::move(known)) {}
  std::string folder_;
  oci::Layout layout_;
  RememberedLayers known_;
};

}  // namespace nuclio::builder
