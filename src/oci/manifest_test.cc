// SPDX-License-Identifier: Apache-2.0
#include "oci/manifest.h"

#include <gmock/gmock.h>

#include "oci/test_registry.h"

namespace nuclio::oci {
namespace {

using testing::HasSubstr;

std::string entry(std::string_view media_type, const std::string& bytes, const std::string& more = "") {
  return R"({"mediaType":")" + std::string(media_type) + R"(","digest":")" + Digest::of(bytes).text() + R"(","size":)" +
         std::to_string(bytes.size()) + more + "}";
}
std::string image(std::string_view media_type) {
  return R"({"schemaVersion":2,"mediaType":")" + std::string(media_type) + R"(","config":)" +
         entry(media::kDockerConfig, "config") + R"(,"layers":[)" + entry(media::kDockerLayerGzip, "one") + "," +
         entry(media::kLayerZstd, "two") + "]}";
}
std::string index(std::string_view media_type) {
  const auto platform = [](const std::string& os, const std::string& architecture, const std::string& variant) {
    return R"(,"platform":{"os":")" + os + R"(","architecture":")" + architecture +
           (variant.empty() ? "" : R"(","variant":")" + variant) + "\"}";
  };
  return R"({"schemaVersion":2,"mediaType":")" + std::string(media_type) + R"(","manifests":[)" +
         entry(media::kManifest, "amd64", platform("linux", "amd64", "")) + "," +
         entry(media::kManifest, "v7", platform("linux", "arm", "v7")) + "," +
         entry(media::kManifest, "v6", platform("linux", "arm", "v6")) + "," +
         entry(media::kManifest, "windows", platform("windows", "amd64", "")) + "," +
         entry(media::kManifest, "attestation", platform("unknown", "unknown", "")) + "]}";
}

TEST(ParseManifest, TakesThoseOfOciAndDocker) {
  for (std::string_view type : {media::kManifest, media::kDockerManifest})
    for (std::string_view came_as : {type, std::string_view()}) {
      auto parsed = parse_manifest(came_as, image(type));
      ASSERT_TRUE(parsed) << parsed.error().what;
      const auto& manifest = std::get<Manifest>(*parsed);
      EXPECT_EQ(manifest.text, image(type));
      EXPECT_EQ(manifest.media_type, type);
      EXPECT_EQ(manifest.config, blob_of("config", media::kDockerConfig));
      EXPECT_THAT(manifest.layers,
                  testing::ElementsAre(blob_of("one", media::kDockerLayerGzip), blob_of("two", media::kLayerZstd)));
    }
  for (std::string_view type : {media::kIndex, media::kDockerIndex}) {
    auto parsed = parse_manifest(type, index(type));
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(std::get<Index>(*parsed).manifests.size(), 5u);
  }
}

TEST(ParseManifest, SaysWhatIsWrong) {
  const std::string docker(media::kDockerManifest);
  const struct {
    std::string type, text, message;
  } table[] = {
      {"application/vnd.docker.distribution.manifest.v1+prettyjws", R"({"schemaVersion":1})", "retired schema 1"},
      {"", R"({"schemaVersion":1})", "push it again with a tool of today"},
      {"", R"({"schemaVersion":3})", "must have the schemaVersion 2"},
      {"", "{}", "must have the schemaVersion 2"},
      {"", "[]", "a manifest must be a JSON object"},
      {"", "<html>", "JSON is not valid at line 1, column 1"},
      {"text/html", R"({"schemaVersion":2})", "must be the manifest or index of an image, is of type \"text/html\""},
      {docker, image(media::kManifest), "one of the two is not true"},
      {docker, R"({"schemaVersion":2,"manifests":[]})", "a manifest must not list manifests"},
      {std::string(media::kIndex), R"({"schemaVersion":2,"layers":[]})", "an index must not have layers"},
      {docker, R"({"schemaVersion":2,"layers":[]})", "\"config\" must be an object"},
      {docker, R"({"schemaVersion":2,"config":{"size":1,"digest":"md5:1"},"layers":[]})",
       "\"config\" must have its digest: a digest must be \"sha256:\" and 64 small hex digits, is \"md5:1\""},
      {docker, R"({"schemaVersion":2,"config":{"size":-1},"layers":[]})", "\"config\" must have its size in bytes"},
      {docker, R"({"schemaVersion":2,"config":)" + entry("", "x") + "}", "\"layers\" must be a list"},
      {docker, R"({"schemaVersion":2,"config":)" + entry("", "x") + R"(,"layers":[1]})", "layers[0] must be an object"},
  };
  for (const auto& item : table) {
    auto parsed = parse_manifest(item.type, item.text);
    ASSERT_FALSE(parsed) << item.text;
    EXPECT_EQ(parsed.error().why, Why::invalid);
    EXPECT_THAT(parsed.error().what, HasSubstr(item.message)) << item.text;
  }
  auto large = parse_manifest("", std::string((4 << 20) + 1, ' '));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().why, Why::too_large);
}

TEST(Choose, TakesTheImageOfThePlatform) {
  auto parsed = parse_manifest(media::kIndex, index(media::kIndex));
  ASSERT_TRUE(parsed);
  const auto& all = std::get<Index>(*parsed);
  const struct {
    Platform platform;
    std::string chosen;
  } table[] = {
      {{"linux", "amd64", ""}, "amd64"}, {{"linux", "amd64", "v2"}, "amd64"},   {{"linux", "arm", "v6"}, "v6"},
      {{"linux", "arm", ""}, "v7"},      {{"windows", "amd64", ""}, "windows"},
  };
  for (const auto& item : table) {
    auto chosen = choose(all, item.platform);
    ASSERT_TRUE(chosen) << chosen.error().what;
    EXPECT_EQ(chosen->digest, Digest::of(item.chosen)) << item.platform.text();
  }
  auto none = choose(all, {"linux", "riscv64", ""});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().why, Why::not_found);
  EXPECT_EQ(none.error().what,
            "there is no image for linux/riscv64; there is one for linux/amd64, linux/arm/v7, "
            "linux/arm/v6, windows/amd64");
  EXPECT_FALSE(choose(all, {"linux", "arm", "v8"}));
}

TEST(MakeManifest, IsTheSameForTheSameAndReadsBack) {
  const Blob config = blob_of("config", media::kDockerConfig);
  const std::vector<Blob> layers{blob_of("one", media::kDockerLayerGzip), blob_of("two")};
  const Manifest made = make_manifest(config, layers, {{"a", "b"}});
  EXPECT_EQ(made.text, make_manifest(config, layers, {{"a", "b"}}).text);
  auto parsed = parse_manifest(media::kManifest, made.text);
  ASSERT_TRUE(parsed) << parsed.error().what;
  const auto& read = std::get<Manifest>(*parsed);
  EXPECT_EQ(read.config.media_type, media::kConfig);
  EXPECT_EQ(read.layers[0].media_type, media::kLayerGzip);
  EXPECT_EQ(read.layers[0].digest, layers[0].digest);
  EXPECT_EQ(read.layers, made.layers);
}

}  // namespace
}  // namespace nuclio::oci
