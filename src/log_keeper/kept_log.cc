// SPDX-License-Identifier: Apache-2.0
#include "log_keeper/kept_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "base/check.h"
#include "base/log.h"

namespace nuclio::log_keeper {
namespace {

constexpr std::uint64_t kLongLine = 64 << 10;
constexpr std::uint64_t kNotice = 256;  // what a line of ours takes at most

std::string notice(std::string_view message) {
  return log::format({}, "platform", log::Level::warn, std::chrono::system_clock::now(), message, {});
}

}  // namespace

KeptLog::KeptLog(std::string path, std::string older, Bytes limit)
    : path_(std::move(path)), older_(std::move(older)), limit_(limit.count - kNotice) {
  CHECK(limit.count >= 1024);
  wanted_ = limit_ - std::min(kLongLine, limit_ / 2);
  (void)open();  // add() tries again
}

KeptLog::~KeptLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void KeptLog::add(std::string_view bytes) {
  while (!bytes.empty()) {
    std::uint64_t wanted = wanted_ - std::min(wanted_, size_);
    if (bytes.size() <= wanted) return append(bytes);
    std::size_t cut = bytes.substr(0, wanted).rfind('\n') + 1;  // 0 when no line ends there
    if (cut == 0 && (!at_line_start_ || size_ == 0)) {
      std::uint64_t room = limit_ - std::min(limit_, size_);
      std::size_t end = bytes.substr(0, room).find('\n');
      cut = std::min<std::size_t>(end == std::string_view::npos ? room : end + 1, bytes.size());
      // A line under way gets what room there is: it may be whole with the next piece.
      if (cut == bytes.size() && end == std::string_view::npos) return append(bytes);
    }
    append(bytes.substr(0, cut));
    bytes.remove_prefix(cut);
    if (!bytes.empty()) move_aside();
  }
}

bool KeptLog::open() {
  if (descriptor_ >= 0) return true;
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  struct stat info{};
  if (descriptor_ < 0 || ::fstat(descriptor_, &info) != 0) return false;
  size_ = static_cast<std::uint64_t>(info.st_size);
  return true;
}

// Readers rely on the order: a file that was moved is never written to again.
void KeptLog::move_aside() {
  size_ = 0;
  if (descriptor_ < 0) return;
  if (::rename(path_.c_str(), older_.c_str()) == 0 || errno == ENOENT) {
    ::close(descriptor_);
    descriptor_ = -1;
    return;
  }
  // Kept or not, the disk must not fill up.
  std::string why = std::strerror(errno);
  if (::ftruncate(descriptor_, 0) != 0) return;
  (void)write(notice("The lines before this one are lost: they could not be moved aside: " + why));
}

void KeptLog::append(std::string_view bytes) {
  if (losing_) {
    std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    losing_ = false;
  }
  if (bytes.empty()) return;
  if (!open() || (lost_lines_ > 0 && !say_what_was_lost())) {
    why_ = errno;
    return lose(bytes);
  }
  std::uint64_t before = size_;
  if (write(bytes)) {
    at_line_start_ = bytes.back() == '\n';
    return;
  }
  why_ = errno;
  // No half lines: what was written of the last one is taken back, which needs no room.
  std::size_t kept = bytes.substr(0, size_ - before).rfind('\n') + 1;
  if (::ftruncate(descriptor_, static_cast<off_t>(before + kept)) == 0) size_ = before + kept;
  if (kept > 0) at_line_start_ = true;
  lose(bytes.substr(kept));
}

bool KeptLog::say_what_was_lost() {
  std::uint64_t before = size_;
  std::string text = at_line_start_ ? "" : "\n";
  text += notice(std::to_string(lost_lines_) + (lost_lines_ == 1 ? " line was" : " lines were") +
                 " lost here: " + std::strerror(why_));
  if (!write(text)) {
    int error_number = errno;
    if (::ftruncate(descriptor_, static_cast<off_t>(before)) == 0) size_ = before;
    errno = error_number;
    return false;
  }
  lost_lines_ = 0;
  at_line_start_ = true;
  return true;
}

bool KeptLog::write(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    size_ += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void KeptLog::lose(std::string_view bytes) {
  lost_lines_ += static_cast<std::uint64_t>(std::ranges::count(bytes, '\n'));
  losing_ = bytes.back() != '\n';
  if (losing_) ++lost_lines_;
}

}  // namespace nuclio::log_keeper
