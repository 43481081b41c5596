// SPDX-License-Identifier: Apache-2.0
#include "oci/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace nuclio::oci {

Result<std::string> read_whole_file(const std::string& path, Bytes max) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return fail_errno("reading " + path);
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading " + path);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > max.count)
      return fail(Why::too_large, path + " must have at most " + std::to_string(max.count) + " bytes");
  }
}

Result<NewFile> NewFile::create(std::string path) {
  std::string temporary = path + ".XXXXXX";
  Descriptor file{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (!file) return fail_errno("making " + path);
  // mkostemp() gives it to us alone; what we write is no secret.
  if (::fchmod(file.get(), 0644) != 0) return fail_errno("making " + path);
  return NewFile{std::move(path), std::move(temporary), std::move(file)};
}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      descriptor_(std::move(other.descriptor_)) {}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> NewFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("writing " + path_);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> NewFile::cut(Bytes size) {
  const auto end = static_cast<off_t>(size.count);
  if (::ftruncate(descriptor_.get(), end) != 0 || ::lseek(descriptor_.get(), end, SEEK_SET) != end)
    return fail_errno("writing " + path_);
  return {};
}

Result<void> NewFile::keep_as(std::string path) {
  path_ = std::move(path);
  return keep();
}

Result<void> NewFile::keep() {
  // A full disk may be told of only now.
  if (::close(descriptor_.release()) != 0) return fail_errno("writing " + path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return fail_errno("making " + path_);
  temporary_.clear();
  return {};
}

}  // namespace nuclio::oci
