// SPDX-License-Identifier: Apache-2.0
// Any bytes as a layer: it is unpacked or refused, within its limits, and nothing outside of its root changes.
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/check.h"
#include "loop/run.h"
#include "oci/unpack.h"

namespace nuclio::oci {
namespace {

namespace fs = std::filesystem;

// A folder with the root in it, and a file beside that must stay as it is.
class Ground {
 public:
  Ground() {
    std::string pattern = (fs::temp_directory_path() / "nuclio-unpack-XXXXXX").string();
    CHECK(::mkdtemp(pattern.data()));
    path_ = pattern;
    write("outside", "untouched");
  }
  ~Ground() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  std::string at(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(at(name), std::ios::binary) << text;
  }
  void check_outside() const {
    struct stat status{};
    CHECK(::lstat(at("outside").c_str(), &status) == 0 && S_ISREG(status.st_mode));
    CHECK(status.st_size == 9 && status.st_nlink == 1);
    CHECK(std::distance(fs::directory_iterator(path_), {}) == 3);
  }

 private:
  std::string path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Ground ground;
  static Loop loop;
  fs::remove_all(ground.at("root"));
  fs::create_directory(ground.at("root"));
  ground.write("layer", std::string(reinterpret_cast<const char*>(data), size));
  const UnpackOptions options{.limits = {.entries = 50, .depth = 10, .total = Bytes{1u << 20}}};
  auto unpacker = Unpacker::into(ground.at("root"), options);
  CHECK(unpacker);
  // Twice: as the layer below and the one above.
  for (int i = 0; i < 2; ++i)
    if (!run_until_done(loop, unpacker->layer(loop, ground.at("layer")))) break;
  ground.check_outside();
  return 0;
}

}  // namespace nuclio::oci
