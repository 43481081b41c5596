// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/layer.h"
#include "oci/layout.h"

namespace nuclio::builder {

// Layers under a key that says what they were made of. Several processes may use the folder at once.
class RememberedLayers {
 public:
  static Result<RememberedLayers> open(std::string folder);

  // The layer, now in `layout` too; nothing when there is none, or its bytes are not what they were.
  Task<std::optional<oci::Layer>> find(Loop& loop, std::string key, const oci::Layout& layout) const;
  // Remembers a layer of `layout`.
  Result<void> add(const std::string& key, const oci::Layer& layer, const oci::Layout& layout) const;
  // Forgets those that were of use least recently, until there are few enough.
  void forget_old(std::size_t most, Bytes most_bytes) const;

 private:
  RememberedLayers(std::string folder, oci::Layout layers) : folder_(std::move(folder)), layers_(std::move(layers)) {}
  std::string entry(const std::string& key) const { return folder_ + "/" + key + ".json"; }

  std::string folder_;
  oci::Layout layers_;
};

}  // namespace nuclio::builder
