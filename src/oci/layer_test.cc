// SPDX-License-Identifier: Apache-2.0
#include "oci/layer.h"

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <utime.h>

#include "oci/archive_reader.h"
#include "oci/test_memory.h"
#include "oci/test_registry.h"

namespace nuclio::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Layers : public testing::Test, protected TestBench {
 protected:
  Result<Layer> write(std::vector<LayerPart> parts, LayerOptions options = {}) {
    return run(write_layer(loop, layout_, std::move(parts), options));
  }
  // "drwxr-xr-x"-like lines of what a layer has, with the content of short files.
  std::vector<std::string> listing(const Layer& layer) {
    std::vector<std::string> lines;
    auto reader = ArchiveReader::open(layout_.path(layer.blob.digest));
    EXPECT_TRUE(reader) << reader.error().what;
    for (;;) {
      auto entry = reader->next();
      EXPECT_TRUE(entry) << entry.error().what;
      if (!entry || !*entry) return lines;
      const ArchiveEntry& it = **entry;
      char mode[8];
      std::snprintf(mode, sizeof mode, "%o", static_cast<unsigned>(it.mode));
      std::string line = it.name + " " + mode + " " + std::to_string(it.owner) + ":" + std::to_string(it.group) + " " +
                         std::to_string(it.modified.time_since_epoch().count());
      if (it.kind == ArchiveEntry::Kind::symbolic_link) line += " -> " + it.target;
      if (it.kind == ArchiveEntry::Kind::file) line += " " + std::string(*reader->read());
      lines.push_back(std::move(line));
    }
  }
  TestFolder folder_;
  Layout layout_ = *Layout::create(folder_.at("layout"));
};

TEST_F(Layers, AreSortedAndOwnedByNobodyInParticular) {
  folder_.write("in/b/z", "z");
  folder_.write("in/b/a", "a");
  folder_.write("in/b-c", "-");
  folder_.write("in/run", "#!/bin/sh");
  ::chmod(folder_.at("in/run").c_str(), 04711);
  ::chmod(folder_.at("in/b-c").c_str(), 0600);
  fs::create_symlink("/etc/passwd", folder_.at("in/link"));
  fs::create_directory(folder_.at("in/empty"));
  auto layer = write({{folder_.at("in"), "opt/f"}, {folder_.write("tool", "t"), "bin/tool"}},
                     {.modified = ImageTime{std::chrono::seconds{1700000000}}});
  ASSERT_TRUE(layer) << layer.error().what;
  EXPECT_EQ(layer->blob.media_type, media::kLayerGzip);
  EXPECT_THAT(listing(*layer),
              ElementsAre("bin/tool 644 0:0 1700000000 t", "opt/f/ 755 0:0 1700000000", "opt/f/b/ 755 0:0 1700000000",
                          "opt/f/b-c 644 0:0 1700000000 -", "opt/f/b/a 644 0:0 1700000000 a",
                          "opt/f/b/z 644 0:0 1700000000 z", "opt/f/empty/ 755 0:0 1700000000",
                          "opt/f/link 777 0:0 1700000000 -> /etc/passwd", "opt/f/run 755 0:0 1700000000 #!/bin/sh"));
}

TEST_F(Layers, AreTheSameWhereverAndWheneverTheyAreMade) {
  for (const std::string& name : {std::string("one"), std::string("two")}) {
    // In another order, with other times and modes.
    for (int i = 0; i < 20; ++i) folder_.write(name + "/" + std::to_string(name == "one" ? i : 19 - i), noise(100));
  }
  const utimbuf old{.actime = 1, .modtime = 1};
  ::utime(folder_.at("two/3").c_str(), &old);
  ::chmod(folder_.at("two/3").c_str(), 0666);
  auto one = write({{folder_.at("one"), "opt"}});
  auto two = write({{folder_.at("two"), "opt"}});
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->blob, two->blob);
  EXPECT_EQ(one->diff_id, two->diff_id);
  EXPECT_TRUE(layout_.has(one->blob));
  EXPECT_EQ(Digest::of(folder_.read("layout/blobs/sha256/" + std::string(one->blob.digest.hex()))), one->blob.digest);
}

// The bytes themselves are a promise: with them the digests of all images would change.
TEST_F(Layers, KeepTheirBytes) {
  folder_.write("in/hello", "hello\n");
  auto layer = write({{folder_.at("in"), "opt"}});
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->diff_id.text(), "sha256:75e39ce74dca9eeeeebdb21721852e065c3462f66dd3dcc883055de07d022e49");
}

TEST_F(Layers, HoldNamesThatAreLongOrForeign) {
  const std::string deep = std::string(90, 'd') + "/" + std::string(90, 'e');
  folder_.write("in/" + deep, "deep");
  folder_.write("in/żółw", "turtle");
  fs::create_symlink(std::string(200, 'x'), folder_.at("in/zlink"));
  auto layer = write({{folder_.at("in"), "o"}});
  ASSERT_TRUE(layer) << layer.error().what;
  EXPECT_THAT(listing(*layer),
              ElementsAre("o/ 755 0:0 0", "o/" + std::string(90, 'd') + "/ 755 0:0 0", "o/" + deep + " 644 0:0 0 deep",
                          "o/zlink 777 0:0 0 -> " + std::string(200, 'x'), "o/żółw 644 0:0 0 turtle"));
}

TEST_F(Layers, SayWhatCannotBeInOne) {
  folder_.write("in/a", "a");
  folder_.write("wh/.wh.a", "a");
  ASSERT_EQ(::mkfifo(folder_.at("pipe").c_str(), 0644), 0);
  const struct {
    std::vector<LayerPart> parts;
    LayerOptions options;
    Why why;
    std::string message;
  } table[] = {
      {{{folder_.at("in"), "../etc"}},
       {},
       Why::invalid,
       "must be a relative path without \".\" and \"..\", is \"../etc\""},
      {{{folder_.at("in"), "/etc"}}, {}, Why::invalid, "is \"/etc\""},
      {{{folder_.at("in"), ""}}, {}, Why::invalid, "is \"\""},
      {{{folder_.at("in"), "a//b"}}, {}, Why::invalid, "is \"a//b\""},
      {{{folder_.at("none"), "a"}}, {}, Why::not_found, "reading " + folder_.at("none")},
      {{{folder_.at("wh"), "a"}}, {}, Why::invalid, "/.wh.a: a name that begins with \".wh.\" would delete"},
      {{{folder_.at("pipe"), "a"}}, {}, Why::invalid, "/pipe is neither file, folder nor symbolic link"},
      {{{folder_.at("in/a"), "x"}, {folder_.at("wh/.wh.a"), "x"}}, {}, Why::conflict, "would both be /x in the image"},
      {{{folder_.at("in"), "x"}}, {.limits = {.entries = 1}}, Why::too_large, "at most 1 files and folders"},
      {{{folder_.at("in"), "x"}}, {.limits = {.total = Bytes{0}}}, Why::too_large, "at most 0 bytes"},
      {{{folder_.at("in"), "x/y/z"}}, {.limits = {.depth = 2}}, Why::too_large, "nested at most 2 deep"},
  };
  for (const auto& item : table) {
    auto layer = write(item.parts, item.options);
    ASSERT_FALSE(layer) << item.message;
    EXPECT_EQ(layer.error().why, item.why) << layer.error().what;
    EXPECT_THAT(layer.error().what, HasSubstr(item.message));
  }
  EXPECT_TRUE(fs::is_empty(folder_.at("layout/blobs/sha256")));  // nothing half-written is left
}

TEST_F(Layers, OfLargeFilesNeedNoMemoryForThem) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's memory would count";
  folder_.write("in/large", "");
  fs::resize_file(folder_.at("in/large"), 64u << 20);
  const MemoryPeak peak;
  auto layer = write({{folder_.at("in"), "x"}});
  ASSERT_TRUE(layer) << layer.error().what;
  EXPECT_LT(peak.growth_kib(), 4 << 10);
}

TEST_F(Layers, OnAFullDiskSayWhere) {
  // In a mount namespace of this process's own, so that nobody else sees it.
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    GTEST_SKIP() << "mounting a small disk needs root";
  fs::create_directory(folder_.at("small"));
  ASSERT_EQ(::mount("small", folder_.at("small").c_str(), "tmpfs", 0, "size=1m"), 0);
  folder_.write("in/x", noise(2u << 20));
  {
    auto small = Layout::create(folder_.at("small/layout"));
    ASSERT_TRUE(small);
    auto layer = run(write_layer(loop, *small, {{folder_.at("in"), "x"}}, {}));
    ASSERT_FALSE(layer);
    EXPECT_EQ(layer.error().why, Why::unavailable);
    EXPECT_THAT(layer.error().what, HasSubstr("writing " + folder_.at("small/layout")));
    EXPECT_THAT(layer.error().what, HasSubstr("No space left on device; free some space there and try again"));
    EXPECT_TRUE(fs::is_empty(folder_.at("small/layout/blobs/sha256")));
  }
  EXPECT_EQ(::umount(folder_.at("small").c_str()), 0);
}

}  // namespace
}  // namespace nuclio::oci
