// SPDX-License-Identifier: Apache-2.0
// Whole images from and to registries and layouts.
#pragma once
#include <cstddef>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/deadline.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/image.h"
#include "oci/layout.h"
#include "oci/registry.h"

namespace nuclio::oci {

struct TransferOptions {
  std::size_t at_once = 4;     // blobs
  Bytes largest{16ull << 30};  // of the image's layers together, compressed
};

// An image of a registry, of which only manifest and config were fetched. An index leads to the image of the platform.
// Why::not_found: there is no such image, or none for the platform; Why::invalid: it is not what it should be.
Task<Result<Image>> find_image(Registry& from, Repository repository, Version version, Platform platform,
                               Deadline deadline);

// Fetches the layers that the layout does not have. Memory does not grow with them.
Task<Result<void>> pull_layers(Loop& loop, Registry& from, Repository repository, const Image& image,
                               const Layout& layout, TransferOptions options, Deadline deadline);

// An image of a layout, as its index or whoever put it there names it. Why::invalid for an index.
Result<Image> read_image(const Layout& layout, const Blob& manifest);

// Puts an image whose layers the layout `from` has into another one, without a name there: see Layout::name(). Blobs
// that are there already are left alone; the others are copied, and not shared with `from`. Why::not_found: a layer is
// missing.
Result<void> copy_image(const Layout& from, const Image& image, const Layout& to);

// Where an image's base lies: its layers are mounted from there, or fetched when the target cannot.
struct Origin {
  Registry* registry;
  Repository repository;
  const Manifest* base;
};

struct PushReport {
  Digest digest;
  bool unchanged = false;  // the tag was this image already; nothing was done
  std::size_t present = 0;
  std::size_t mounted = 0;
  std::size_t uploaded = 0;
  Bytes sent;  // of blobs
};

// Pushes an image: first the blobs that are not there, then the manifest, so that the tag is the whole image or what it
// was before. Layers come from the layout; those that it does not have are mounted or fetched from `origin`, by way of
// the layout. `image` and `layout` are borrowed. Why::not_found: a layer is nowhere.
Task<Result<PushReport>> push_image(Loop& loop, Registry& to, Repository repository, Version tag, const Image& image,
                                    const Layout& layout, std::optional<Origin> origin, TransferOptions options,
                                    Deadline deadline);

}  // namespace nuclio::oci
