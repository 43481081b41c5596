// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "oci/digest.h"
#include "oci/file.h"
#include "oci/manifest.h"

namespace nuclio::oci {

// Where an index keeps the name of what it lists.
inline constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";

// A folder of blobs and an index of the images among them, as OCI lays it out. Several processes may add blobs at once,
// since each is there whole or not at all; the index is its one writer's.
class Layout {
 public:
  // Makes what is missing of it. Why::invalid when the folder is a layout of another version.
  static Result<Layout> create(std::string folder);
  // Why::not_found when it is none.
  static Result<Layout> open(std::string folder);

  const std::string& folder() const { return folder_; }
  std::string path(const Digest& digest) const;
  // Whether a blob is there with its size. That its bytes are right was seen to when it came.
  bool has(const Blob& blob) const;

  // A blob to be written, of which keep() makes one that is there.
  Result<NewFile> new_blob() const;
  Result<void> keep(NewFile& file, const Digest& digest) const;
  Result<Blob> add(std::string_view media_type, std::string_view bytes) const;
  // Makes a blob of another layout one of this, unless it is already: as the same file where both are on one disk and
  // `share` allows it, for whoever changes one then changes both. Why::not_found when the other has none.
  enum class Share { yes, no };
  Result<void> take(const Blob& blob, const Layout& from, Share share) const;
  // A small blob, checked against its digest. Why::not_found, Why::too_large, Why::invalid.
  Result<std::string> read(const Blob& blob, Bytes max) const;

  // Lists an image under a name such as "1.0", in place of what had the name before.
  Result<void> name(const Blob& manifest, const std::string& name) const;
  Result<Index> index() const;
  // The image with that name; "" for the only one. Why::not_found lists the names that there are.
  Result<Blob> find(const std::string& name) const;

 private:
  explicit Layout(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

// The text of an index that lists these.
std::string index_text(const std::vector<Index::Entry>& entries);

}  // namespace nuclio::oci
