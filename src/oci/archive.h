// SPDX-License-Identifier: Apache-2.0
// Images as one file: what `docker load` takes, and an OCI layout in a tar.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "loop/loop.h"
#include "loop/task.h"
#include "oci/image.h"
#include "oci/layout.h"
#include "oci/names.h"

namespace nuclio::oci {

struct ArchiveTarget {
  std::string path;             // in place of what that was
  std::string name;             // of the image: "registry/repository:tag" for docker, a tag otherwise
  ImageTime modified = kEpoch;  // of all files within
};

// Writes an image whose layers the layout has; equal images give equal files. Why::not_found: a layer is missing.
// Everything is borrowed until the task is done.
Task<Result<void>> write_docker_archive(Loop& loop, const Layout& layout, const Image& image,
                                        const ArchiveTarget& target);
Task<Result<void>> write_oci_archive(Loop& loop, const Layout& layout, const Image& image, const ArchiveTarget& target);

struct ArchiveLimits {
  std::size_t entries = 10'000;
  Bytes total{16ull << 30};
};

// Reads an archive of either kind, plain or compressed, into the layout, checks that it is whole, and lists its images
// there under their names, which are the result. Docker's images become OCI's, with the same layers.
// Why::invalid: it is neither kind, something is missing, or something has other bytes than its name or the image's
// config says; Why::too_large.
Task<Result<std::vector<std::string>>> read_archive(Loop& loop, std::string path, const Layout& layout,
                                                    ArchiveLimits limits = {});

}  // namespace nuclio::oci
