// SPDX-License-Identifier: Apache-2.0
#include "oci/unpack.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/layer.h"
#include "oci/test_gzip.h"
#include "oci/test_program.h"

namespace nuclio::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

// A header as an attacker writes it, with whatever name.
struct Raw {
  std::string name;
  char type = '0';          // '1' hard link, '2' symbolic link, '3' device, '5' folder, '6' pipe
  std::string text = {};    // of a file
  std::string target = {};  // of a link
  int mode = 0644;
};

std::string raw_tar(const std::vector<Raw>& entries, const std::string& end = std::string(1024, '\0')) {
  std::string tar;
  for (const Raw& entry : entries) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, std::string_view text) { header.replace(at, text.size(), text); };
    char number[16];
    put(0, entry.name);
    std::snprintf(number, sizeof number, "%07o", static_cast<unsigned>(entry.mode));
    put(100, number);
    put(108, "0000000");
    put(116, "0000000");
    std::snprintf(number, sizeof number, "%011o", static_cast<unsigned>(entry.text.size()));
    put(124, number);
    put(136, "00000000000");
    put(148, "        ");
    header[156] = entry.type;
    put(157, entry.target);
    put(257, std::string_view("ustar\00000", 8));
    unsigned sum = 0;
    for (unsigned char c : header) sum += c;
    std::snprintf(number, sizeof number, "%06o", sum);
    put(148, number);
    header[154] = '\0';
    tar += header + entry.text + std::string((512 - entry.text.size() % 512) % 512, '\0');
  }
  return tar + end;
}

class Unpacking : public testing::Test, protected TestBench {
 protected:
  Unpacking() {
    fs::create_directory(folder_.at("root"));
    folder_.write("outside", "untouched");
  }
  Result<void> unpack(const std::vector<std::string>& layers, UnpackOptions options = {}) {
    auto unpacker = Unpacker::into(folder_.at("root"), options);
    if (!unpacker) return std::unexpected(unpacker.error());
    for (const std::string& layer : layers) {
      auto done = run(unpacker->layer(loop, folder_.write("layer", layer)));
      if (!done) return done;
    }
    return {};
  }
  Result<void> unpack(const std::vector<Raw>& entries, UnpackOptions options = {}) {
    return unpack(std::vector<std::string>{raw_tar(entries)}, options);
  }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.at("root")))
      names.push_back(entry.path().lexically_relative(folder_.at("root")).string());
    std::ranges::sort(names);
    return names;
  }
  TestFolder folder_;
};

TEST_F(Unpacking, DevicesAreLeftOutWhereThatIsAskedFor) {
  auto done = unpack({{"dev/", '5'}, {"dev/null", '3'}, {"dev/log", '6'}, {"etc", '0', "x"}},
                     {.special_files = SpecialFiles::left_out});
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_THAT(names(), ElementsAre("dev", "etc"));
}

TEST_F(Unpacking, MakesWhatALayerHas) {
  const std::string tar = raw_tar({{"./", '5'},
                                   {"usr/", '5', "", "", 0755},
                                   {"usr/bin/run", '0', "#!/bin/sh", "", 0755},
                                   {"./etc/passwd", '0', "root"},
                                   {"bin", '2', "", "usr/bin"},
                                   {"etc/shadow", '1', "", "etc/passwd"},
                                   {"etc/mtab", '2', "", "/proc/mounts"},
                                   {"bin/other", '0', "through the link"}});
  for (const std::string& form : {tar, gzipped(tar)}) {
    auto done = unpack(std::vector{form});
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_THAT(names(), ElementsAre("bin", "etc", "etc/mtab", "etc/passwd", "etc/shadow", "usr", "usr/bin",
                                     "usr/bin/other", "usr/bin/run"));
    EXPECT_EQ(folder_.read("root/usr/bin/other"), "through the link");
    EXPECT_EQ(fs::hard_link_count(folder_.at("root/etc/passwd")), 2u);
    EXPECT_EQ(fs::read_symlink(folder_.at("root/etc/mtab")), "/proc/mounts");
    struct stat status{};
    ASSERT_EQ(::stat(folder_.at("root/usr/bin/run").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0755u);
    EXPECT_EQ(status.st_mtime, 0);
  }
}

TEST_F(Unpacking, TakesZstd) {
  // A frame of one block that is not compressed: https://datatracker.ietf.org/doc/html/rfc8878
  const std::string tar = raw_tar({{"a", '0', "text"}});
  const auto little_endian = [](std::size_t number, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i));
    return out;
  };
  auto done = unpack(
      std::vector{"\x28\xb5\x2f\xfd\xa0" + little_endian(tar.size(), 4) + little_endian(tar.size() << 3 | 1, 3) + tar});
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(folder_.read("root/a"), "text");
}

TEST_F(Unpacking, TakesEachFormOfTar) {
  const std::string name = std::string(80, 'n') + "/" + std::string(150, 'm');
  folder_.write("in/" + name, "long");
  folder_.write("in/żółw/a b\nc", "foreign");
  folder_.write("in/large", noise(300'000));
  folder_.write("in/sparse", "");
  fs::resize_file(folder_.at("in/sparse"), 5u << 20);
  folder_.write("in/empty", "");
  fs::create_hard_link(folder_.at("in/large"), folder_.at("in/same"));
  fs::create_symlink(std::string(150, 't'), folder_.at("in/link"));
  fs::create_directories(folder_.at("in/folder/within"));
  for (const std::string& form : {std::string("gnu"), std::string("pax"), std::string("oldgnu")}) {
    const std::string tar = folder_.at(form + ".tar.gz");
    auto made = run(run_program(loop, {"tar", "-C", folder_.at("in"), "--format=" + form, "-S", "-czf", tar, "."}));
    ASSERT_TRUE(made.ok) << made.output;
    fs::remove_all(folder_.at("root"));
    fs::create_directory(folder_.at("root"));
    auto done = unpack({folder_.read(form + ".tar.gz")});
    ASSERT_TRUE(done) << form << ": " << done.error().what;
    auto compared = run(run_program(loop, {"diff", "-r", "--no-dereference", folder_.at("in"), folder_.at("root")}));
    EXPECT_TRUE(compared.ok) << form << ": " << compared.output.substr(0, 1000);
    EXPECT_EQ(fs::hard_link_count(folder_.at("root/same")), 2u);
  }
}

TEST_F(Unpacking, TakesOurOwnLayers) {
  folder_.write("in/" + std::string(120, 'n') + "/żółw", noise(600'000));
  fs::create_symlink("nowhere", folder_.at("in/link"));
  const Layout layout = *Layout::create(folder_.at("layout"));
  auto layer = run(write_layer(loop, layout, {{folder_.at("in"), "opt"}}, {}));
  ASSERT_TRUE(layer);
  auto done = unpack({folder_.read("layout/blobs/sha256/" + std::string(layer->blob.digest.hex()))});
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(folder_.read("root/opt/" + std::string(120, 'n') + "/żółw"), noise(600'000));
}

TEST_F(Unpacking, LaterLayersReplaceAndRemove) {
  const std::string below = raw_tar({{"a/old", '0', "1"},
                                     {"a/kept", '0', "1"},
                                     {"b/x/y", '0', "1"},
                                     {"c", '0', "a file"},
                                     {"d/e", '0', "a folder"},
                                     {"f", '2', "", "a"},
                                     {"opaque/old", '0', "1"},
                                     {"opaque/deep/old", '0', "1"}});
  const std::string above = raw_tar({{"a/.wh.old", '0'},
                                     {".wh.b", '0'},
                                     {".wh.never", '0'},
                                     {"never/.wh.was", '0'},
                                     {"c/now", '0', "a folder"},
                                     {"d", '0', "a file"},
                                     {"f", '0', "a file, not a/"},
                                     {"opaque/new", '0', "2"},
                                     {"opaque/.wh..wh..opq", '0'},
                                     {"opaque/.wh.new", '0'},
                                     {".wh..wh.aufs", '0'}});
  auto first = unpack(std::vector{below});
  ASSERT_TRUE(first) << first.error().what;
  // "c" is a file that becomes a folder by way of an entry beneath it: that is refused by others, too.
  auto refused = unpack(std::vector{above});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("\"c\" must lead to a folder"));
  std::string mended = above;
  auto done = unpack(std::vector{raw_tar({{".wh.c", '0'}}), mended});
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_THAT(names(), ElementsAre("a", "a/kept", "c", "c/now", "d", "f", "opaque", "opaque/new"));
  EXPECT_EQ(folder_.read("root/f"), "a file, not a/");
}

TEST_F(Unpacking, NothingLeadsOut) {
  const std::string outside = folder_.at("outside");
  const struct {
    std::vector<Raw> entries;
    std::string refusal;  // "" when it is harmless and taken
  } table[] = {
      {{{"/etc/passwd", '0', "x"}}, "the name \"/etc/passwd\" must be relative, and is absolute"},
      {{{"../outside", '0', "x"}}, "the name \"../outside\" must not have \"..\" in it"},
      {{{"a/../../outside", '0', "x"}}, "must not have \"..\" in it"},
      {{{"..", '5'}}, "must not have \"..\" in it"},
      {{{"a/.wh...", '0'}}, "must name what it removes"},
      {{{".wh..", '0'}}, "must name what it removes"},
      {{{".wh.", '0'}}, "must name what it removes"},
      {{{"../.wh.outside", '0'}}, "must not have \"..\" in it"},
      {{{"l", '2', "", outside}, {"l", '0', "x"}}, ""},  // replaces the link
      {{{"l", '2', "", folder_.path()}, {"l/outside", '0', "x"}}, "is a link to nothing, so there is no folder for"},
      {{{"l", '2', "", ".."}, {"l/outside", '0', "x"}}, ""},  // ".." of the root is the root
      {{{"l", '2', "", "../../../../../.."}, {"l/tmp/x", '0', "x"}}, ""},
      {{{"l", '2', "", "/"}, {"l/l2", '2', "", ".."}, {"l/l2/outside", '0', "x"}}, ""},
      {{{"l", '2', "", folder_.path()}, {"l/.wh.outside", '0'}}, ""},  // there is none within
      {{{"l", '2', "", ".."}, {"l/.wh..wh..opq", '0'}}, ""},
      {{{"h", '1', "", outside}}, "which must be a relative name without \"..\""},
      {{{"h", '1', "", "../outside"}}, "which must be a relative name without \"..\""},
      {{{"l", '2', "", folder_.path()}, {"h", '1', "", "l/outside"}, {"h", '0', "x"}}, "which is not there"},
      {{{"l", '2', "", outside}, {"h", '1', "", "l"}, {"h", '0', "x"}}, ""},  // links the link
      {{{"d/", '5'}, {"h", '1', "", "d"}}, "which must be a file"},
      {{{"null", '3'}}, "\"null\" is a device, a socket or a pipe"},
      {{{"sda", '4'}}, "\"sda\" is a device, a socket or a pipe"},
      {{{"pipe", '6'}}, "\"pipe\" is a device, a socket or a pipe"},
      {{{"a", '2', "", "b"}, {"b", '2', "", "a"}, {"a/x", '0', "x"}}, "must lead to a folder"},
      {{{"f", '0', "x"}, {"f/x", '0', "x"}}, "\"f\" must lead to a folder"},
  };
  for (const auto& item : table) {
    fs::remove_all(folder_.at("root"));
    fs::create_directory(folder_.at("root"));
    auto done = unpack(item.entries);
    const std::string which = item.entries.back().name + ": ";
    if (item.refusal.empty()) {
      EXPECT_TRUE(done) << which << done.error().what;
    } else {
      ASSERT_FALSE(done) << which;
      EXPECT_EQ(done.error().why, Why::invalid) << which << done.error().what;
      EXPECT_THAT(done.error().what, StartsWith(folder_.at("layer") + ": "));
      EXPECT_THAT(done.error().what, HasSubstr(item.refusal));
    }
    EXPECT_EQ(folder_.read("outside"), "untouched") << which;
    EXPECT_TRUE(fs::is_regular_file(folder_.at("outside"))) << which;
    EXPECT_EQ(fs::hard_link_count(folder_.at("outside")), 1u) << which;
  }
}

TEST_F(Unpacking, SetUserIdIsNotTakenOver) {
  auto done = unpack({{"su", '0', "x", "", 04755}, {"d", '5', "", "", 0}, {"d/x", '0', "x"}});
  ASSERT_TRUE(done) << done.error().what;
  struct stat status{};
  ASSERT_EQ(::stat(folder_.at("root/su").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0755u);
  if (::geteuid() != 0) GTEST_SKIP() << "giving files to others needs root";
  done = unpack({{"su", '0', "x", "", 04755}}, {.owners = Owners::theirs});
  ASSERT_TRUE(done) << done.error().what;
  ASSERT_EQ(::stat(folder_.at("root/su").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 04755u);
}

TEST_F(Unpacking, BombsAreRefusedBeforeTheyGoOff) {
  const std::string zeros(2u << 20, '\0');
  const std::string deep = [] {
    std::string name = "d";
    for (int i = 0; i < 40; ++i) name += "/d";
    return name;
  }();
  const struct {
    std::string layer;
    UnpackLimits limits;
    std::string message;
  } table[] = {
      {raw_tar({{"a", '0', zeros}}), {.total = Bytes{1u << 20}}, "must have at most 1048576 bytes together"},
      {gzipped(raw_tar({{"a", '0', zeros}})), {.ratio_from = Bytes{1u << 20}}, "more than 200 times its size"},
      {raw_tar({{"a", '0'}, {"b", '0'}, {"c", '0'}}), {.entries = 2}, "at most 2 files and folders"},
      {raw_tar({{"a", '0', zeros}, {"b", '0', zeros}, {"c", '0', zeros}}),
       {.total = Bytes{5u << 20}},
       "bytes together"},
      {raw_tar({{deep, '5'}}), {.depth = 20}, "must have at most 20 parts"},
  };
  for (const auto& item : table) {
    auto done = unpack(std::vector{item.layer}, {.limits = item.limits});
    ASSERT_FALSE(done) << item.message;
    EXPECT_EQ(done.error().why, Why::too_large);
    EXPECT_THAT(done.error().what, HasSubstr(item.message));
  }
  // All layers count together.
  const std::string layer = raw_tar({{"a", '0', zeros}});
  auto done = unpack(std::vector{layer, layer, layer}, {.limits = {.total = Bytes{5u << 20}}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().why, Why::too_large);
}

TEST_F(Unpacking, WhatIsNoTarOrEndsEarlyIsSaidToBe) {
  const std::string tar = raw_tar({{"a", '0', noise(100'000)}});
  for (const std::string& layer : {std::string("no tar at all, and long enough to be one: ") + noise(2000),
                                   tar.substr(0, 50'000), gzipped(tar).substr(0, 50'000), std::string("x")}) {
    auto done = unpack(std::vector{layer});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().why, Why::invalid);
    EXPECT_THAT(done.error().what, HasSubstr("/layer must be a tar, plain or compressed with gzip or zstd: "));
  }
  EXPECT_TRUE(unpack(std::vector{raw_tar({})}));
  EXPECT_TRUE(unpack(std::vector{gzipped(raw_tar({}))}));
}

TEST(Unpacker, NeedsItsFolder) {
  auto unpacker = Unpacker::into("/nonexistent/root");
  ASSERT_FALSE(unpacker);
  EXPECT_EQ(unpacker.error().why, Why::not_found);
}

}  // namespace
}  // namespace nuclio::oci
