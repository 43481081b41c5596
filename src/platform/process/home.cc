// SPDX-License-Identifier: Apache-2.0
#include "platform/process/home.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/log.h"
#include "loop/descriptor.h"

namespace nuclio::platform::process {

namespace fs = std::filesystem;

Result<void> make_private_folder(const std::string& path) {
  fs::path so_far;
  for (const fs::path& part : fs::path(path)) {
    so_far /= part;
    if (::mkdir(so_far.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("making the folder " + path);
  }
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view text) {
  std::string draft = path + ".new";
  Descriptor file{::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file) return fail_errno("writing " + draft);
  while (!text.empty()) {
    ssize_t count = ::write(file.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("writing " + draft);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return fail_errno("replacing " + path);
  return {};
}

void remove_folder(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) log::warn("A folder could not be removed", {{"folder", path}, {"reason", error.message()}});
}

}  // namespace nuclio::platform::process
