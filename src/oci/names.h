// SPDX-License-Identifier: Apache-2.0
// Names within a registry, which are all text and must not be swapped. They come from an ImageReference, which checks
// them.
#pragma once
#include <chrono>
#include <string>

#include "base/named.h"

namespace nuclio::oci {

using Repository = Named<struct RepositoryTag, std::string>;  // "library/python"
using Version = Named<struct VersionTag, std::string>;        // a tag, or a digest
using MountFrom = Named<struct MountFromTag, std::string>;    // the repository that has a blob already

// What images say of time: seconds since 1970, SOURCE_DATE_EPOCH where that is set, and kEpoch otherwise.
using ImageTime = std::chrono::sys_seconds;
inline constexpr ImageTime kEpoch{};

}  // namespace nuclio::oci
