// SPDX-License-Identifier: Apache-2.0
#include "oci/put_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "loop/descriptor.h"

namespace nuclio::oci {

constexpr std::size_t kPiece = 256 << 10;

Task<Result<void>> put_file(Loop& loop, TarWriter& tar, const TarEntry& entry, const std::string& path) {
  const auto changed = [&path] { return fail(Why::conflict, path + " changed while it was read; build again"); };
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  if (!file) co_return fail(errno_error("reading " + path, errno));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) co_return fail(errno_error("reading " + path, errno));
  std::uint64_t left = entry.size.count;
  if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) != left) co_return changed();
  CO_TRY_DO(tar.begin(entry));
  std::vector<char> piece(std::min<std::uint64_t>(left, kPiece));
  while (left > 0) {
    const ssize_t got = ::read(file.get(), piece.data(), std::min<std::uint64_t>(piece.size(), left));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) co_return fail(errno_error("reading " + path, errno));
    if (got == 0) co_return changed();
    CO_TRY_DO(tar.data({piece.data(), static_cast<std::size_t>(got)}));
    left -= static_cast<std::uint64_t>(got);
    co_await loop.yield();
  }
  co_return Result<void>{};
}

}  // namespace nuclio::oci
