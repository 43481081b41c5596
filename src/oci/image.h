// SPDX-License-Identifier: Apache-2.0
// What an image is made of, and how one is made from another. No I/O.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "oci/layer.h"
#include "oci/manifest.h"
#include "oci/names.h"

namespace nuclio::oci {

// A manifest and the config that it names, which agree on the layers.
struct Image {
  Manifest manifest;
  std::string config;
};

// Why::invalid unless the config is that of an image for this platform and has a diff_id for each layer.
Result<void> check_config(const Manifest& manifest, const std::string& config, const Platform& platform);

// What an image says about how it is run, where it differs from its base's.
struct ConfigChanges {
  std::optional<std::vector<std::string>> entrypoint;
  std::optional<std::vector<std::string>> command;
  std::vector<std::pair<std::string, std::string>> environment;  // set anew, or in place of what has the name
  std::map<std::string, std::string> labels;                     // likewise
  std::vector<int> exposed_ports;                                // TCP
  std::optional<std::string> user;
  std::optional<std::string> working_directory;
};

struct NewLayer {
  Layer layer;
  std::string made_by;  // for the image's history: "nuclio: code"
};

// An image with further layers on top of its base's. Equal input gives an equal image. Annotations are the manifest's.
Result<Image> extend_image(const Image& base, const std::vector<NewLayer>& layers, const ConfigChanges& changes,
                           ImageTime created, const std::map<std::string, std::string>& annotations = {});

// An image without layers, to begin from nothing.
Image empty_image(const Platform& platform);

}  // namespace nuclio::oci
