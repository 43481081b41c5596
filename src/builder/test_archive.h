// SPDX-License-Identifier: Apache-2.0
// Archives as anyone may write them, for tests.
#pragma once
#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace nuclio::builder {

struct Packed {
  std::string name;
  std::string text = {};
  std::string link = {};       // where a symbolic link leads
  std::string hard_link = {};  // what it is another name of
  unsigned kind = AE_IFREG;
  int mode = 0644;
};

// The bytes of an archive: format "zip", "ustar" or "7zip", filter "none", "gzip", "bzip2", "xz", "zstd" or "lz4".
inline std::string pack(const std::vector<Packed>& entries, const char* format = "ustar", const char* filter = "none") {
  archive* out = archive_write_new();
  EXPECT_EQ(archive_write_set_format_by_name(out, format), ARCHIVE_OK) << archive_error_string(out);
  if (std::string_view(filter) != "none") {
    EXPECT_EQ(archive_write_add_filter_by_name(out, filter), ARCHIVE_OK) << archive_error_string(out);
  }
  std::string bytes(8u << 20, '\0');
  std::size_t used = 0;
  EXPECT_EQ(archive_write_open_memory(out, bytes.data(), bytes.size(), &used), ARCHIVE_OK);
  for (const Packed& each : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, each.name.c_str());
    archive_entry_set_filetype(entry, each.link.empty() ? each.kind : AE_IFLNK);
    archive_entry_set_perm(entry, static_cast<__LA_MODE_T>(each.mode));
    if (!each.link.empty()) archive_entry_set_symlink(entry, each.link.c_str());
    if (!each.hard_link.empty()) archive_entry_set_hardlink(entry, each.hard_link.c_str());
    archive_entry_set_size(entry, each.link.empty() ? static_cast<la_int64_t>(each.text.size()) : 0);
    EXPECT_GE(archive_write_header(out, entry), ARCHIVE_WARN) << archive_error_string(out);
    archive_write_data(out, each.text.data(), each.text.size());
    archive_entry_free(entry);
  }
  archive_write_close(out);
  archive_write_free(out);
  bytes.resize(used);
  return bytes;
}

}  // namespace nuclio::builder
