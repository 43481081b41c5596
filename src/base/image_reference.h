// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace nuclio {

// The name of an image as docker reads it, [registry[:port]/]path[:tag][@digest], with its short forms written out:
// "python:3.11" is docker.io/library/python:3.11, and what has neither tag nor digest has the tag "latest".
struct ImageReference {
  std::string registry;    // "docker.io", "localhost:5000"
  std::string repository;  // "library/python"
  std::string tag;         // "" when only a digest was given
  std::string digest;      // "sha256:..."; "" when none was given

  // What a registry is asked for: the digest, which counts when both are there, or the tag.
  const std::string& version() const { return digest.empty() ? tag : digest; }
  // Everything, "docker.io/library/python:3.11".
  std::string text() const;
  friend bool operator==(const ImageReference&, const ImageReference&) = default;
};

// Why::invalid quotes the part that is wrong and says what it must be. A registry alone, such as registry.local:5000
// or localhost:5000/team, reads like an image too.
Result<ImageReference> parse_image_reference(std::string_view text);

}  // namespace nuclio
