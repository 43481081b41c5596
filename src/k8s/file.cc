// SPDX-License-Identifier: Apache-2.0
#include "k8s/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "loop/descriptor.h"

namespace nuclio::k8s {
namespace {

constexpr std::size_t kLargest = 8 << 20;

}  // namespace

Result<std::string> read_file(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return fail_errno("opening " + path);
  std::string text;
  std::array<char, 16384> room;
  for (;;) {
    const ssize_t count = ::read(file.get(), room.data(), room.size());
    if (count < 0) return fail_errno("reading " + path);
    if (count == 0) return text;
    text.append(room.data(), static_cast<std::size_t>(count));
    if (text.size() > kLargest) return fail(Why::too_large, "reading " + path + ": it has more than 8 MiB");
  }
}

}  // namespace nuclio::k8s
