// SPDX-License-Identifier: Apache-2.0
#include "oci/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"

namespace nuclio::oci {
namespace {

constexpr std::size_t kBlock = 64 << 10;

// libarchive turns names into the locale's charset and loses those that do not fit, so that it needs one where all do.
class Utf8 {
 public:
  Utf8() {
    static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    before_ = utf8 ? ::uselocale(utf8) : nullptr;
  }
  Utf8(const Utf8&) = delete;
  ~Utf8() {
    if (before_) ::uselocale(before_);
  }

 private:
  locale_t before_;
};

std::string text_of(const char* text) { return text ? text : ""; }

ArchiveEntry::Kind kind_of(archive_entry* entry) {
  if (archive_entry_hardlink(entry)) return ArchiveEntry::Kind::hard_link;
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG: return ArchiveEntry::Kind::file;
    case AE_IFDIR: return ArchiveEntry::Kind::folder;
    case AE_IFLNK: return ArchiveEntry::Kind::symbolic_link;
    default: return ArchiveEntry::Kind::other;
  }
}

}  // namespace

void ArchiveReader::Free::operator()(archive* reader) const { archive_read_free(reader); }

ArchiveReader::ArchiveReader(std::string path, Form form, archive* reader)
    : path_(std::move(path)), form_(form), reader_(reader), piece_(4 * kBlock) {}

Result<ArchiveReader> ArchiveReader::open(const std::string& path) { return open_as(Form::tar, path); }

Result<ArchiveReader> ArchiveReader::open(int file, const std::string& path) {
  if (::lseek(file, 0, SEEK_SET) != 0) return fail_errno("reading " + path);
  return open_as(Form::tar, path, file);
}

Result<ArchiveReader> ArchiveReader::open_common(const std::string& path) { return open_as(Form::common, path); }

Result<ArchiveReader> ArchiveReader::open_uncompressed(const std::string& path) {
  TRY(ArchiveReader reader, open_as(Form::any_bytes, path));
  TRY_DO(reader.next());
  return reader;
}

Result<ArchiveReader> ArchiveReader::open_as(Form form, const std::string& path, int file) {
  const Utf8 locale;
  archive* made = archive_read_new();
  CHECK(made);
  ArchiveReader reader{path, form, made};
  if (form == Form::any_bytes) {
    archive_read_support_format_raw(made);
  } else {
    archive_read_support_format_tar(made);
  }
  archive_read_support_filter_gzip(made);
  archive_read_support_filter_zstd(made);
  if (form == Form::common) {
    archive_read_support_format_zip(made);
    archive_read_support_filter_bzip2(made);
    archive_read_support_filter_xz(made);
    archive_read_support_filter_lz4(made);
  }
  const int opened =
      file >= 0 ? archive_read_open_fd(made, file, kBlock) : archive_read_open_filename(made, path.c_str(), kBlock);
  if (opened == ARCHIVE_OK) return reader;
  struct stat status{};
  if (file < 0 && ::stat(path.c_str(), &status) != 0) return fail_errno("reading " + path);
  return reader.broken();
}

std::unexpected<Error> ArchiveReader::broken() const {
  const char* what = form_ == Form::common
                         ? " must be a zip, or a tar, plain or compressed with gzip, bzip2, xz, zstd or lz4: "
                         : " must be a tar, plain or compressed with gzip or zstd: ";
  return fail(Why::invalid, path_ + what + text_of(archive_error_string(reader_.get())));
}

Result<std::optional<ArchiveEntry>> ArchiveReader::next() {
  const Utf8 locale;
  archive_entry* found = nullptr;
  const int outcome = archive_read_next_header(reader_.get(), &found);
  if (outcome == ARCHIVE_EOF) return std::optional<ArchiveEntry>{};
  if (outcome != ARCHIVE_OK && outcome != ARCHIVE_WARN) return broken();
  ArchiveEntry entry;
  entry.kind = kind_of(found);
  entry.name = text_of(archive_entry_pathname(found));
  if (entry.name.empty()) entry.name = text_of(archive_entry_pathname_utf8(found));
  entry.target = text_of(entry.kind == ArchiveEntry::Kind::hard_link ? archive_entry_hardlink(found)
                                                                     : archive_entry_symlink(found));
  entry.mode = static_cast<int>(archive_entry_perm(found));
  entry.modified = ImageTime{std::chrono::seconds{archive_entry_mtime(found)}};
  entry.owner = archive_entry_uid(found);
  entry.group = archive_entry_gid(found);
  entry.size = Bytes{static_cast<std::uint64_t>(std::max<std::int64_t>(archive_entry_size(found), 0))};
  return std::optional<ArchiveEntry>{std::move(entry)};
}

Result<std::string_view> ArchiveReader::read() {
  const la_ssize_t got = archive_read_data(reader_.get(), piece_.data(), piece_.size());
  if (got < 0) return broken();
  return std::string_view{piece_.data(), static_cast<std::size_t>(got)};
}

std::uint64_t ArchiveReader::consumed() const {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(archive_filter_bytes(reader_.get(), -1), 0));
}

}  // namespace nuclio::oci
