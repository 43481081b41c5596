// SPDX-License-Identifier: Apache-2.0
#include "platform/process/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include "base/bytes.h"
#include "base/log.h"
#include "loop/descriptor.h"
#include "loop/file_watch.h"

namespace nuclio::platform::process {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 64 << 10;
constexpr Bytes kMessageBytes{64u << 10};

std::uint64_t size_of(int descriptor) {
  struct stat info{};
  return ::fstat(descriptor, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::string read_at(int descriptor, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    ssize_t count = ::pread(descriptor, text.data() + have, size - have, static_cast<off_t>(offset + have));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    have += static_cast<std::size_t>(count);
  }
  text.resize(have);
  return text;
}

// Where the last `lines` lines begin; `lines` becomes what is missing.
std::uint64_t tail_begin(int descriptor, std::size_t& lines) {
  std::uint64_t end = size_of(descriptor);
  if (lines == 0) return end;
  // A line break at the very end closes the last line and begins none.
  std::uint64_t at = end;
  bool first = true;
  while (at > 0) {
    std::uint64_t begin = at > kPiece ? at - kPiece : 0;
    std::string piece = read_at(descriptor, begin, static_cast<std::size_t>(at - begin));
    for (std::size_t i = piece.size(); i-- > 0;) {
      bool closes_last = std::exchange(first, false) && piece[i] == '\n';
      if (piece[i] == '\n' && !closes_last && --lines == 0) return begin + i + 1;
    }
    at = begin;
  }
  if (end > 0) --lines;
  return 0;
}

// Where the first line that is not older than `since` begins; lines without a time belong to the one before.
std::uint64_t since_begin(int descriptor, SystemTime since, std::uint64_t begin) {
  std::uint64_t end = size_of(descriptor);
  std::string rest;
  for (std::uint64_t at = begin; at < end;) {
    std::string piece = read_at(descriptor, at, kPiece);
    if (piece.empty()) break;
    std::uint64_t line_at = at - rest.size();
    rest += piece;
    at += piece.size();
    std::size_t start = 0;
    for (std::size_t stop; (stop = rest.find('\n', start)) != std::string::npos; start = stop + 1) {
      auto time = time_of_line(std::string_view(rest).substr(start, stop - start));
      if (time && *time >= since) return line_at + start;
    }
    rest.erase(0, start);
    if (rest.size() > kPiece) rest.clear();  // no line of ours is that long
  }
  return end;
}

Descriptor open_to_read(const std::string& path) {
  return Descriptor{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
}

bool same_file(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool is_at(int descriptor, const std::string& path) {
  struct stat open{};
  struct stat named{};
  return ::fstat(descriptor, &open) == 0 && ::lstat(path.c_str(), &named) == 0 && same_file(open, named);
}

// One file after the other: what was moved aside, what is written now and, when it follows, what comes after that.
//
// The keeper never writes to a file that it has moved. So when the file at hand is not at its path any more, one more
// look at it gives all of it, and the next one is read from its beginning: nothing is lost or read twice.
class LogReader final : public http::BodySource {
 public:
  struct Part {
    Descriptor file;
    std::uint64_t offset;  // where to go on reading
  };
  LogReader(std::string path, std::vector<Part> parts, std::optional<FileWatch> watch, std::function<bool()> running)
      : path_(std::move(path)), parts_(std::move(parts)), watch_(std::move(watch)), running_(std::move(running)) {}

  Task<Result<std::optional<std::string>>> next() override {
    for (;;) {
      auto& [file, offset] = parts_.front();
      std::string piece = read_at(file.get(), offset, kPiece);
      offset += piece.size();
      if (!piece.empty()) co_return std::optional{std::move(piece)};
      if (parts_.size() > 1) {
        parts_.erase(parts_.begin());
        continue;
      }
      if (!watch_) break;
      bool moved = !is_at(file.get(), path_);
      if (moved && !read_since_moved_) {
        read_since_moved_ = true;  // what was written before it was moved
        continue;
      }
      if (moved) {
        if (auto notice = go_on(); !notice.empty()) co_return std::optional{std::move(notice)};
        if (!read_since_moved_) continue;
      } else if (size_of(file.get()) < offset) {
        offset = 0;  // it could not be moved and was emptied
        continue;
      }
      if (ended_) break;
      // Looked at once more after it ended: its last line may have come in between.
      ended_ = !running_();
      if (ended_) continue;
      (void)co_await watch_->changed(Deadline::never());
    }
    co_return std::optional<std::string>{};
  }

 private:
  // To the file after the one at hand, when it is there; what is to be said in between.
  std::string go_on() {
    Descriptor current = open_to_read(path_);
    if (!current) return {};
    // Asked for after the other one was opened: were there a file between the two, it would have taken that place.
    bool next_to_it = is_at(parts_.front().file.get(), older_log(path_));
    Descriptor older = next_to_it ? Descriptor{} : open_to_read(older_log(path_));
    if (older && is_at(current.get(), older_log(path_))) older.reset();
    read_since_moved_ = false;
    parts_.clear();
    if (older) parts_.push_back({std::move(older), 0});
    parts_.push_back({std::move(current), 0});
    if (next_to_it) return {};
    return log::format({}, "platform", log::Level::warn, std::chrono::system_clock::now(),
                       "Lines may be missing here: the log was moved on faster than it was read", {});
  }

  std::string path_;
  std::vector<Part> parts_;         // never empty
  std::optional<FileWatch> watch_;  // when it follows
  std::function<bool()> running_;
  bool read_since_moved_ = false;
  bool ended_ = false;
};

}  // namespace

std::string older_log(const std::string& path) { return path + ".1"; }

std::vector<std::string> last_lines(const std::string& path, std::size_t count) {
  Descriptor file = open_to_read(path);
  if (!file) return {};
  std::size_t missing = count;
  std::uint64_t begin = tail_begin(file.get(), missing);
  std::uint64_t end = size_of(file.get());
  begin = std::max(begin, end > kMessageBytes.count ? end - kMessageBytes.count : 0);
  std::string text = read_at(file.get(), begin, static_cast<std::size_t>(end - begin));
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    std::size_t stop = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, stop - start));
    start = stop + 1;
  }
  return lines;
}

std::optional<SystemTime> time_of_line(std::string_view line) {
  using std::chrono::milliseconds;
  // {"time":1700000000000,… and 26.11.24 12:00:00.000 …, both in UTC.
  constexpr std::string_view kJson = "{\"time\":";
  if (line.starts_with(kJson)) {
    std::int64_t count = 0;
    auto [end, error] = std::from_chars(line.data() + kJson.size(), line.data() + line.size(), count);
    if (error != std::errc{}) return std::nullopt;
    return SystemTime{milliseconds{count}};
  }
  constexpr std::string_view kShape = "dd.dd.dd dd:dd:dd.ddd";
  if (line.size() < kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    bool digit = line[i] >= '0' && line[i] <= '9';
    if (kShape[i] == 'd' ? !digit : line[i] != kShape[i]) return std::nullopt;
  }
  auto two = [&](std::size_t at) { return (line[at] - '0') * 10 + (line[at + 1] - '0'); };
  std::tm parts{};
  parts.tm_year = two(0) + 100;
  parts.tm_mon = two(3) - 1;
  parts.tm_mday = two(6);
  parts.tm_hour = two(9);
  parts.tm_min = two(12);
  parts.tm_sec = two(15);
  std::int64_t thousandths = two(18) * 10 + (line[20] - '0');
  return std::chrono::system_clock::from_time_t(timegm(&parts)) + milliseconds{thousandths};
}

Result<std::unique_ptr<http::BodySource>> read_log(Loop& loop, const std::string& path, const LogRequest& request,
                                                   SystemTime now, std::function<bool()> running) {
  std::optional<FileWatch> watch;
  if (request.follow) {
    // Before anything is opened: what comes afterwards wakes it. The folder, since files come and go.
    TRY(FileWatch made, FileWatch::create(loop));
    watch.emplace(std::move(made));
    TRY_DO(watch->add(std::filesystem::path(path).parent_path().string()));
  }
  // In this order: a file that is moved in between is found twice, rather than not at all.
  Descriptor current = open_to_read(path);
  Descriptor older = open_to_read(older_log(path));
  if (!current) current = std::exchange(older, Descriptor{});
  if (older && is_at(current.get(), older_log(path))) older.reset();
  if (!current) return fail(Why::not_found, "there is no log " + path);
  std::size_t lines = request.tail_lines.value_or(static_cast<std::size_t>(-1));
  std::uint64_t begin = request.tail_lines ? tail_begin(current.get(), lines) : 0;
  if (lines == 0) older.reset();
  std::uint64_t older_begin = older && request.tail_lines ? tail_begin(older.get(), lines) : 0;
  if (request.since) {
    auto since = now - std::chrono::duration_cast<SystemTime::duration>(*request.since);
    begin = since_begin(current.get(), since, begin);
    if (older) older_begin = since_begin(older.get(), since, older_begin);
  }
  std::vector<LogReader::Part> parts;
  if (older) parts.push_back({std::move(older), older_begin});
  parts.push_back({std::move(current), begin});
  return std::make_unique<LogReader>(path, std::move(parts), std::move(watch), std::move(running));
}

void wake_readers(const std::string& path) {
  // Closing what was opened for writing is a change, to those who watch.
  Descriptor{::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC)};
}

}  // namespace nuclio::platform::process
