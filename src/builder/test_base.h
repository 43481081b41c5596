// SPDX-License-Identifier: Apache-2.0
// A small image of this machine's own, for tests that run commands in one without a network.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/test_folder.h"
#include "loop/run.h"
#include "oci/archive_reader.h"
#include "oci/tar_writer.h"

namespace nuclio::builder {

struct BaseEntry {
  oci::TarEntry entry;
  std::string text;  // of a file
};

inline std::string tar_of(const std::vector<BaseEntry>& entries) {
  std::string bytes;
  oci::TarWriter tar{[&](std::string_view piece) {
    bytes += piece;
    return Result<void>{};
  }};
  for (BaseEntry each : entries) {
    each.entry.size = Bytes{each.text.size()};
    EXPECT_TRUE(tar.begin(each.entry));
    EXPECT_TRUE(tar.data(each.text));
  }
  EXPECT_TRUE(tar.finish());
  return bytes;
}

// A shell and its tools (Debian's busybox-static), three users, and a folder with something in it.
inline std::vector<BaseEntry> small_base() {
  using Kind = oci::TarEntry::Kind;
  std::ifstream file("/bin/busybox", std::ios::binary);
  std::ostringstream busybox;
  busybox << file.rdbuf();
  EXPECT_TRUE(file) << "the package busybox-static is missing";
  std::vector<BaseEntry> base{
      {{.kind = Kind::folder, .name = "bin", .mode = 0755}, ""},
      {{.name = "bin/busybox", .mode = 0755}, std::move(busybox).str()},
      {{.kind = Kind::folder, .name = "etc", .mode = 0755}, ""},
      {{.name = "etc/passwd"},
       "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\nwww:x:33:33::/var/www:/bin/sh\n"},
      {{.name = "etc/group"}, "root:x:0:\napp:x:1000:\nwww:x:33:\nextra:x:44:app\n"},
      {{.name = "etc/shadow", .mode = 0640, .group = 42}, "secret"},
      {{.kind = Kind::folder, .name = "root", .mode = 0700}, ""},
      {{.kind = Kind::folder, .name = "tmp", .mode = 01777}, ""},
      {{.kind = Kind::folder, .name = "opt", .mode = 0755}, ""},
      {{.kind = Kind::folder, .name = "opt/data", .mode = 0750, .owner = 33, .group = 33}, ""},
      {{.name = "opt/data/one"}, "1"},
      {{.name = "opt/data/two"}, "2"},
  };
  for (const char* name :
       {"sh",     "cat",  "ls",     "rm",    "mkdir", "mv",     "cp",       "ln",    "chmod",  "chown",    "echo",
        "date",   "id",   "env",    "sleep", "touch", "mkfifo", "mknod",    "mount", "umount", "ps",       "kill",
        "chroot", "head", "stat",   "pwd",   "wget",  "ip",     "hostname", "tail",  "dd",     "seq",      "su",
        "test",   "find", "setsid", "true",  "false", "nc",     "unshare",  "grep",  "wc",     "readlink", "yes"})
    base.push_back({{.kind = Kind::link, .name = std::string("bin/") + name, .mode = 0777, .target = "busybox"}, ""});
  return base;
}

// What a layer has: name, mode, owner and, of what is short, the content.
inline std::map<std::string, std::string> listing_of(const std::string& file) {
  std::map<std::string, std::string> found;
  auto reader = oci::ArchiveReader::open(file);
  EXPECT_TRUE(reader) << reader.error().what;
  for (;;) {
    auto entry = reader->next();
    EXPECT_TRUE(entry) << entry.error().what;
    if (!entry || !*entry) return found;
    const oci::ArchiveEntry& it = **entry;
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(it.mode));
    std::string says = std::string(mode) + " " + std::to_string(it.owner) + ":" + std::to_string(it.group);
    if (!it.target.empty()) says += " -> " + it.target;
    if (it.kind == oci::ArchiveEntry::Kind::file) says += " " + std::string(reader->read()->substr(0, 2000));
    EXPECT_EQ(it.modified, oci::kEpoch) << it.name;
    found[it.name] = std::move(says);
  }
}

}  // namespace nuclio::builder
