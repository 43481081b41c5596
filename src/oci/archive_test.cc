// SPDX-License-Identifier: Apache-2.0
// Archives that are not what they should be. The good ones are in transfer_test.cc.
#include "oci/archive.h"

#include <gmock/gmock.h>

#include "oci/tar_writer.h"
#include "oci/test_gzip.h"
#include "oci/test_registry.h"

namespace nuclio::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Files = std::vector<std::pair<std::string, std::string>>;

class Archives : public testing::Test, protected TestBench {
 protected:
  Result<std::vector<std::string>> read(const Files& files, ArchiveLimits limits = {}) {
    std::string bytes;
    TarWriter tar{[&](std::string_view piece) {
      bytes += piece;
      return Result<void>{};
    }};
    for (const auto& [name, text] : files) {
      EXPECT_TRUE(tar.begin({.name = name, .size = Bytes{text.size()}}));
      EXPECT_TRUE(tar.data(text));
    }
    EXPECT_TRUE(tar.finish());
    return run(read_archive(loop, folder_.write("x.tar", bytes), layout_, limits));
  }
  static std::string config(const std::string& layer) {
    return R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[")" +
           Digest::of(layer).text() + R"("]}})";
  }
  TestFolder folder_;
  Layout layout_ = *Layout::create(folder_.at("layout"));
};

const std::string kDocker = R"([{"Config":"c.json","RepoTags":["a:1","a:2"],"Layers":["l.tar"]}])";

TEST_F(Archives, OfDockerAreReadWhateverTheirOrder) {
  for (const std::string& layer : {std::string("a layer"), gzipped("a layer")}) {
    auto names =
        read({{"manifest.json", kDocker}, {"./l.tar", layer}, {"c.json", config("a layer")}, {"VERSION", "1"}});
    ASSERT_TRUE(names) << names.error().what;
    EXPECT_THAT(*names, ElementsAre("a:1", "a:2"));
    EXPECT_EQ(layout_.find("a:1")->digest, layout_.find("a:2")->digest);
  }
}

TEST_F(Archives, SayWhatIsWrongAndLeaveNothing) {
  const std::string index =
      R"({"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
      R"("digest":")" +
      Digest::of("x").text() + R"(","size":1}]})";
  const struct {
    Files files;
    std::string message;
  } table[] = {
      {{}, "it must be an archive of images with manifest.json (docker) or oci-layout and index.json"},
      {{{"manifest.json", "{}"}}, "manifest.json must be a list of objects"},
      {{{"manifest.json", "[1]"}}, "manifest.json must be a list of objects"},
      {{{"manifest.json", "x"}}, "manifest.json: JSON is not valid"},
      {{{"manifest.json", kDocker}}, "it must have the config c.json, which is missing"},
      {{{"manifest.json", kDocker}, {"c.json", "{}"}}, "must have a diff_id for each of the image's layers"},
      {{{"manifest.json", kDocker}, {"c.json", config("l")}}, "it must have the layer \"l.tar\", which is missing"},
      {{{"manifest.json", kDocker}, {"c.json", config("l")}, {"l.tar", "other"}},
       "the layer \"l.tar\" must have the digest \"" + Digest::of("l").text() + "\", has " +
           Digest::of("other").text()},
      {{{"manifest.json", kDocker}, {"c.json", config("l")}, {"l.tar", gzipped("other")}}, "must have the digest"},
      {{{"manifest.json", kDocker}, {"c.json", config("l")}, {"l.tar", gzipped("l").substr(0, 15)}}, "must be a tar"},
      {{{"oci-layout", "{}"}, {"index.json", index}}, "it must have the blob " + Digest::of("x").text()},
      // Its name promises other bytes.
      {{{"oci-layout", "{}"}, {"index.json", index}, {"blobs/sha256/" + std::string(Digest::of("x").hex()), "y"}},
       "it must have the blob " + Digest::of("x").text() + ", which is missing"},
      {{{"oci-layout", "{}"}, {"index.json", index}, {"blobs/sha256/x", "x"}}, "JSON is not valid"},
  };
  for (const auto& item : table) {
    auto names = read(item.files);
    ASSERT_FALSE(names) << item.message;
    EXPECT_EQ(names.error().why, Why::invalid) << names.error().what;
    EXPECT_THAT(names.error().what, HasSubstr(folder_.at("x.tar") + ": "));
    EXPECT_THAT(names.error().what, HasSubstr(item.message));
    EXPECT_TRUE(std::filesystem::is_empty(folder_.at("layout/blobs/sha256"))) << item.message;
  }
}

TEST_F(Archives, HaveLimits) {
  const Files files{{"a", std::string(1000, 'a')}, {"b", std::string(1000, 'b')}};
  for (const ArchiveLimits& limits : {ArchiveLimits{.entries = 1}, ArchiveLimits{.total = Bytes{1500}}}) {
    auto names = read(files, limits);
    ASSERT_FALSE(names);
    EXPECT_EQ(names.error().why, Why::too_large);
  }
}

TEST_F(Archives, ThatAreNoneAreSaidToBe) {
  auto none = run(read_archive(loop, folder_.write("x", "hello"), layout_));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().why, Why::invalid);
  auto missing = run(read_archive(loop, folder_.at("y"), layout_));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().why, Why::not_found);
}

TEST(Layouts, SayWhatTheyHave) {
  const TestFolder folder;
  auto none = Layout::open(folder.path());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().what, folder.path() + " is no OCI image layout: it has no file oci-layout");
  folder.write("old/oci-layout", R"({"imageLayoutVersion":"0.5"})");
  auto old = Layout::open(folder.at("old"));
  ASSERT_FALSE(old);
  EXPECT_THAT(old.error().what, HasSubstr("imageLayoutVersion must be \"1.0.0\", is \"0.5\""));

  auto layout = Layout::create(folder.at("new"));
  ASSERT_TRUE(layout);
  auto blob = layout->add(media::kManifest, "one");
  ASSERT_TRUE(blob && layout->name(*blob, "1"));
  EXPECT_EQ(*layout->find(""), *blob);
  auto other = layout->add(media::kManifest, "two");
  ASSERT_TRUE(other && layout->name(*other, "2") && layout->name(*other, "1"));
  EXPECT_EQ(*layout->find("1"), *other);
  auto missing = layout->find("3");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().what, folder.at("new") + " has no image 3, it has 2, 1");
  folder.write("new/blobs/sha256/" + std::string(blob->digest.hex()), "eno");
  auto damaged = layout->read(*blob, Bytes{100});
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().why, Why::invalid);
  EXPECT_TRUE(Layout::create(folder.at("new")));  // it stays as it is
  EXPECT_TRUE(layout->find("2"));
}

TEST(Layouts, TakeABlobOfAnotherAsTheSameFileOrACopy) {
  TestFolder folder;
  auto from = Layout::create(folder.at("from"));
  auto to = Layout::create(folder.at("to"));
  ASSERT_TRUE(from && to);
  auto shared = from->add("text/plain", "shared");
  auto copied = from->add("text/plain", "copied");
  ASSERT_TRUE(shared && copied);
  ASSERT_TRUE(to->take(*shared, *from, Layout::Share::yes));
  ASSERT_TRUE(to->take(*copied, *from, Layout::Share::no));
  ASSERT_TRUE(to->take(*copied, *from, Layout::Share::yes));  // it has it already
  EXPECT_EQ(to->read(*shared, Bytes{100}).value(), "shared");
  EXPECT_EQ(to->read(*copied, Bytes{100}).value(), "copied");
  const auto same = [&](const Blob& blob) {
    return std::filesystem::equivalent(from->path(blob.digest), to->path(blob.digest));
  };
  EXPECT_TRUE(same(*shared));
  EXPECT_FALSE(same(*copied));
  auto missing = to->take({"text/plain", Digest::of("none"), Bytes{4}}, *from, Layout::Share::yes);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().why, Why::not_found);
}

}  // namespace
}  // namespace nuclio::oci
