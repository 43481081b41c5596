// SPDX-License-Identifier: Apache-2.0
#include "oci/image.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "oci/test_registry.h"

namespace nuclio::oci {
namespace {

namespace json = boost::json;

constexpr ImageTime kThen{std::chrono::seconds{1700000000}};

Image base_image() {
  const std::string config = R"({"architecture":"amd64","os":"linux","created":"2020-01-01T00:00:00Z","container":"abc",
    "config":{"Env":["PATH=/bin","LANG=C"],"Cmd":["python3"],"Labels":{"a":"1"}},
    "rootfs":{"type":"layers","diff_ids":[")" +
                             Digest::of("one").text() + R"("]},
    "history":[{"created_by":"somebody"}]})";
  return {make_manifest(blob_of(config, media::kDockerConfig), {blob_of("one", media::kDockerLayerGzip)}), config};
}

NewLayer new_layer(const std::string& bytes) {
  return {{blob_of(bytes), Digest::of("tar of " + bytes)}, "nuclio: " + bytes};
}

TEST(ExtendImage, AddsLayersAndSaysHowItIsRun) {
  ConfigChanges changes;
  changes.command = {"processor"};
  changes.environment = {{"LANG", "C.UTF-8"}, {"A", "b=c"}};
  changes.labels = {{"nuclio.function", "hello"}};
  changes.exposed_ports = {8080};
  changes.user = "1000";
  changes.working_directory = "/opt/nuclio";
  auto image = extend_image(base_image(), {new_layer("code")}, changes, kThen, {{"k", "v"}});
  ASSERT_TRUE(image) << image.error().what;
  const json::value config = json::parse(image->config);
  EXPECT_EQ(config, json::parse(R"({"architecture":"amd64","os":"linux","created":"2023-11-14T22:13:20Z",
    "config":{"Env":["PATH=/bin","LANG=C.UTF-8","A=b=c"],"Cmd":["processor"],"Labels":{"a":"1","nuclio.function":"hello"},
              "User":"1000","WorkingDir":"/opt/nuclio","ExposedPorts":{"8080/tcp":{}}},
    "rootfs":{"type":"layers","diff_ids":[")" +
                                Digest::of("one").text() + R"(",")" + Digest::of("tar of code").text() + R"("]},
    "history":[{"created_by":"somebody"},{"created":"2023-11-14T22:13:20Z","created_by":"nuclio: code"}]})"));
  EXPECT_EQ(image->manifest.config, blob_of(image->config, media::kConfig));
  EXPECT_THAT(image->manifest.layers, testing::ElementsAre(blob_of("one"), blob_of("code")));
  EXPECT_TRUE(check_config(image->manifest, image->config, {"linux", "amd64", ""}));
  auto again = extend_image(base_image(), {new_layer("code")}, changes, kThen, {{"k", "v"}});
  EXPECT_EQ(again->manifest.text, image->manifest.text);
}

TEST(ExtendImage, LeavesNoArgumentsOfAnotherEntryPoint) {
  ConfigChanges changes;
  changes.entrypoint = {"processor"};
  auto image = extend_image(base_image(), {}, changes, kEpoch);
  ASSERT_TRUE(image);
  const json::value config = json::parse(image->config);
  EXPECT_FALSE(config.at("config").get_object().contains("Cmd"));
  EXPECT_EQ(config.at("created"), "1970-01-01T00:00:00Z");
}

TEST(ExtendImage, BeginsFromNothingToo) {
  auto image = extend_image(empty_image({"linux", "arm64", "v8"}), {new_layer("a")}, {}, kEpoch);
  ASSERT_TRUE(image);
  EXPECT_TRUE(check_config(image->manifest, image->config, {"linux", "arm64", ""}));
}

TEST(CheckConfig, SaysWhatDoesNotFit) {
  const Image base = base_image();
  auto other = check_config(base.manifest, base.config, {"linux", "arm64", ""});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().what, "the image must be for linux/arm64, is for linux/amd64");
  auto missing = check_config(base.manifest, R"({"architecture":"amd64","os":"linux"})", {"linux", "amd64", ""});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().what, "the image's config must have a diff_id for each of its 1 layers, has 0");
  EXPECT_FALSE(check_config(base.manifest, "[]", {"linux", "amd64", ""}));
  EXPECT_FALSE(check_config(base.manifest, "x", {"linux", "amd64", ""}));
}

}  // namespace
}  // namespace nuclio::oci
