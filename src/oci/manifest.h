// SPDX-License-Identifier: Apache-2.0
// Manifests and indexes as registries and layouts hold them, OCI's and Docker's (schema 2).
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "oci/digest.h"

namespace nuclio::oci {

namespace media {
inline constexpr std::string_view kManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr std::string_view kDockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
}  // namespace media

inline constexpr Bytes kMaxManifest{4u << 20};  // what registries take, too
inline constexpr Bytes kMaxConfig{8u << 20};

// Content that is named by its digest, and what it is.
struct Blob {
  std::string media_type;
  Digest digest;
  Bytes size;
  friend bool operator==(const Blob&, const Blob&) = default;
};

struct Platform {
  std::string os = "linux";
  std::string architecture;  // as Go calls it: "amd64", "arm64"
  std::string variant;       // "v8"; "" for none
  std::string text() const;  // "linux/arm64/v8"
};
Platform this_platform();

// One image. `text` is what its digest was made of, so it is passed on as it is.
struct Manifest {
  std::string media_type;
  std::string text;
  Blob config;
  std::vector<Blob> layers;
  Blob blob() const { return {media_type, Digest::of(text), Bytes{text.size()}}; }
};

// One image for each of several platforms.
struct Index {
  struct Entry {
    Blob manifest;
    Platform platform;
    std::map<std::string, std::string> annotations;
  };
  std::string media_type;
  std::vector<Entry> manifests;
};

// Reads what came under `media_type` ("" when nobody said), checking that the text agrees. Why::invalid says what is
// wrong; for the retired schema 1, what to do. Why::too_large beyond kMaxManifest or 1000 entries.
Result<std::variant<Manifest, Index>> parse_manifest(std::string_view media_type, std::string text);

// The entry for a platform: one with its variant, else one without any, else, when it asks for no variant, the first.
// Why::not_found lists what there is.
Result<Blob> choose(const Index& index, const Platform& platform);

// An OCI manifest with media types made OCI's; equal input gives an equal text.
Manifest make_manifest(const Blob& config, const std::vector<Blob>& layers,
                       const std::map<std::string, std::string>& annotations = {});

}  // namespace nuclio::oci
