// SPDX-License-Identifier: Apache-2.0
#include "builder/layer_cache.h"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <chrono>
#include <filesystem>

#include "base/test_folder.h"
#include "loop/run.h"

namespace nuclio::builder {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class LayerCacheTest : public ::testing::Test {
 protected:
  LayerCacheTest() : cache_(*LayerCache::open(folder_.at("cache"))) {
    folder_.write("f/a", "one");
    folder_.write("f/b/c", "two");
  }
  Result<oci::Layer> layer(oci::LayerOptions options = {}) {
    return run_until_done(loop_, cache_.layer_of(loop_, {{folder_.at("f"), "opt/f"}}, options));
  }
  std::string blob(const oci::Layer& layer) const { return cache_.layout().path(layer.blob.digest); }

  static ino_t inode(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_ino;
  }

  TestFolder folder_;
  Loop loop_;
  LayerCache cache_;
};

TEST_F(LayerCacheTest, WritesALayerOnce) {
  auto first = layer();
  ASSERT_TRUE(first) << first.error().what;
  const auto file = inode(blob(*first));
  auto second = layer();
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_EQ(second->blob, first->blob);
  EXPECT_EQ(second->diff_id, first->diff_id);
  EXPECT_EQ(inode(blob(*first)), file);  // a layer that is written is a new file
}

TEST_F(LayerCacheTest, AChangeOfContentNameModeOrTimeOfTheImageMakesAnother) {
  auto first = layer();
  ASSERT_TRUE(first) << first.error().what;
  folder_.write("f/a", "ONE");
  auto content = layer();
  fs::rename(folder_.at("f/b/c"), folder_.at("f/b/d"));
  auto name = layer();
  fs::permissions(folder_.at("f/a"), fs::perms::owner_exec, fs::perm_options::add);
  auto mode = layer();
  auto time = layer({.modified = oci::ImageTime{1s}});
  ASSERT_TRUE(content && name && mode && time);
  EXPECT_NE(content->diff_id, first->diff_id);
  EXPECT_NE(name->diff_id, content->diff_id);
  EXPECT_NE(mode->diff_id, name->diff_id);
  EXPECT_NE(time->diff_id, mode->diff_id);
}

TEST_F(LayerCacheTest, WhatIsMissingOrDamagedIsMadeAnew) {
  auto first = layer();
  ASSERT_TRUE(first) << first.error().what;
  for (const char* damaged : {"", "{\"digest\": 1}"}) {
    fs::remove(blob(*first));
    for (const auto& record : fs::directory_iterator(folder_.at("cache/known")))
      if (record.path().extension() == ".json")
        folder_.write("cache/known/" + record.path().filename().string(), damaged);
    auto again = layer();
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(again->blob, first->blob);
    EXPECT_TRUE(fs::exists(blob(*first)));
  }
}

TEST_F(LayerCacheTest, RemembersWhatAnImageWas) {
  const oci::Image image = oci::empty_image(oci::this_platform());
  EXPECT_FALSE(cache_.image_of("r.local/a:1"));
  ASSERT_TRUE(cache_.remember_image("r.local/a:1", image));
  auto known = cache_.image_of("r.local/a:1");
  ASSERT_TRUE(known);
  EXPECT_EQ(known->manifest.text, image.manifest.text);
  EXPECT_EQ(known->config, image.config);
  EXPECT_FALSE(cache_.image_of("r.local/a:2"));
}

TEST_F(LayerCacheTest, TrimsWhatWasUsedLongestAgoAndNothingThatIsInUse) {
  auto old = layer();
  folder_.write("f/a", "another");
  auto recent = layer();
  ASSERT_TRUE(old && recent);
  cache_.trim(Bytes{0});
  EXPECT_TRUE(fs::exists(blob(*old)));
  fs::last_write_time(blob(*old), fs::file_time_type::clock::now() - 2h);
  cache_.trim(Bytes{1u << 30});
  EXPECT_TRUE(fs::exists(blob(*old)));
  cache_.trim(Bytes{0});
  EXPECT_FALSE(fs::exists(blob(*old)));
  EXPECT_TRUE(fs::exists(blob(*recent)));
}

}  // namespace
}  // namespace nuclio::builder
