// SPDX-License-Identifier: Apache-2.0
#include "oci/changes.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "oci/archive_reader.h"
#include "oci/test_registry.h"

namespace nuclio::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

// What the kernel leaves in an upper folder is here made by hand; builder/commands_test.cc has the kernel's own.
class Changes : public testing::Test, protected TestBench {
 protected:
  Result<std::string> write(LayerLimits limits = {}) {
    std::string bytes;
    ChangesOptions options;
    options.layer = {.modified = ImageTime{std::chrono::seconds{1700000000}}, .limits = limits};
    options.left_out = [this](std::string_view name) { left_out_.emplace_back(name); };
    const Sink sink = [&bytes](std::string_view piece) {
      bytes += piece;
      return Result<void>{};
    };
    TRY_DO(run(write_changes(loop, folder_.at("upper"), sink, std::move(options))));
    return bytes;
  }
  std::vector<std::string> listing(const std::string& tar) {
    std::vector<std::string> lines;
    auto reader = ArchiveReader::open(folder_.write("tar", tar));
    while (auto entry = *reader->next()) {
      char mode[8];
      std::snprintf(mode, sizeof mode, "%o", static_cast<unsigned>(entry->mode));
      EXPECT_EQ(entry->modified.time_since_epoch().count(), 1700000000);
      std::string line =
          entry->name + " " + mode + " " + std::to_string(entry->owner) + ":" + std::to_string(entry->group);
      if (!entry->target.empty()) line += " -> " + entry->target;
      if (entry->kind == ArchiveEntry::Kind::file) line += " " + std::string(*reader->read());
      lines.push_back(std::move(line));
    }
    return lines;
  }
  TestFolder folder_;
  std::vector<std::string> left_out_;
};

TEST_F(Changes, AreWrittenAsALayerHasThem) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to make files of others";
  folder_.write("upper/b/file", "text");
  folder_.write("upper/b-c", "-");
  folder_.write("upper/replaced/new", "");
  const auto at = [&](const char* name) { return folder_.at(std::string("upper/") + name); };
  ASSERT_EQ(::chown(at("b/file").c_str(), 33, 3'000'000), 0);
  ASSERT_EQ(::chmod(at("b/file").c_str(), 06751), 0);
  fs::create_hard_link(at("b/file"), at("b/twin"));
  fs::create_symlink("/etc/passwd", at("link"));
  ASSERT_EQ(::mknod(at("b/gone").c_str(), S_IFCHR, makedev(0, 0)), 0);
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  ASSERT_EQ(::setxattr(at("replaced").c_str(), "user.overlay.opaque", "y", 1, 0), 0);
  auto tar = write();
  ASSERT_TRUE(tar) << tar.error().what;
  EXPECT_THAT(listing(*tar),
              ElementsAre("b/ 755 0:0", "b/file 6751 33:3000000 text", "b/.wh.gone 644 0:0 ",
                          "b/twin 6751 33:3000000 -> b/file", "b-c 644 0:0 -", "link 777 0:0 -> /etc/passwd",
                          "replaced/ 755 0:0", "replaced/.wh..wh..opq 644 0:0 ", "replaced/new 644 0:0 "));
  EXPECT_THAT(left_out_, ElementsAre("pipe"));
  EXPECT_EQ(*write(), *tar);
}

TEST_F(Changes, ThatAreNoneLeaveAnEmptyLayer) {
  fs::create_directory(folder_.at("upper"));
  EXPECT_EQ(*write(), std::string(1024, '\0'));
}

TEST_F(Changes, AreBounded) {
  for (int i = 0; i < 10; ++i) folder_.write("upper/a/b/c/" + std::to_string(i), "0123456789");
  EXPECT_TRUE(write());
  EXPECT_THAT(write({.entries = 12}).error().what, HasSubstr("at most 12 files and folders"));
  EXPECT_THAT(write({.depth = 2}).error().what, HasSubstr("/a/b/c: folders must be nested at most 2 deep"));
  auto large = write({.total = Bytes{99}});
  EXPECT_EQ(large.error().why, Why::too_large);
  EXPECT_THAT(large.error().what, HasSubstr("at most 99 bytes"));
}

TEST_F(Changes, MayNotDeleteByTheirNames) {
  folder_.write("upper/etc/.wh.passwd", "");
  auto tar = write();
  EXPECT_EQ(tar.error().why, Why::invalid);
  EXPECT_THAT(tar.error().what, HasSubstr("/etc/.wh.passwd: a name that begins with \".wh.\""));
}

}  // namespace
}  // namespace nuclio::oci
