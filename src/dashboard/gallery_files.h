// SPDX-License-Identifier: Apache-2.0
// The files of examples/templates, in the program: CMakeLists.txt writes gallery_files.cc from them.
#pragma once
#include <span>
#include <string_view>

namespace nuclio::dashboard {

struct GalleryFile {
  std::string_view path;  // below examples/templates: "helloworld/hello.py"
  std::string_view text;
};

// By path.
std::span<const GalleryFile> gallery_files();

}  // namespace nuclio::dashboard
