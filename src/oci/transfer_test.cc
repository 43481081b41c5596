// SPDX-License-Identifier: Apache-2.0
// Whole images to and from a real registry, seen by skopeo.
#include "oci/transfer.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "oci/archive.h"
#include "oci/parallel.h"
#include "oci/tar_writer.h"
#include "oci/test_memory.h"
#include "oci/test_program.h"

namespace nuclio::oci {
namespace {

using testing::HasSubstr;
const Platform kPlatform{"linux", "amd64", ""};

class Transfers : public testing::Test, protected TestBench {
 protected:
  Transfers() {
    auto pushed = run(push_simple(registry_, "base", "1", tar_of("etc/base", noise(1'500'000)), soon()));
    EXPECT_TRUE(pushed) << pushed.error().what;
    base_ = *run(find_image(registry_, Repository{"base"}, Version{"1"}, kPlatform, soon()));
    front_.seen.clear();
  }
  // A layer's bytes, uncompressed.
  std::string tar_of(const std::string& name, const std::string& text) {
    std::string bytes;
    TarWriter tar{[&](std::string_view piece) {
      bytes += piece;
      return Result<void>{};
    }};
    EXPECT_TRUE(tar.begin({.name = name, .size = Bytes{text.size()}}));
    EXPECT_TRUE(tar.data(text));
    EXPECT_TRUE(tar.finish());
    return bytes;
  }
  Image make(const std::string& code) {
    folder_.write("code/main.py", code);
    auto layer = run(write_layer(loop, layout_, {{folder_.at("code"), "opt/nuclio"}}, {}));
    EXPECT_TRUE(layer) << layer.error().what;
    auto image =
        extend_image(base_, {{*layer, "nuclio: code"}}, {.command = std::vector<std::string>{"processor"}}, kEpoch);
    EXPECT_TRUE(image) << image.error().what;
    return std::move(*image);
  }
  Result<PushReport> push(const Image& image, std::optional<Origin> origin, TransferOptions options = {}) {
    return run(
        push_image(loop, registry_, Repository{"team/app"}, Version{"1"}, image, layout_, origin, options, soon()));
  }
  Ran skopeo(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"skopeo", "--insecure-policy"});
    return run(run_program(loop, std::move(arguments)));
  }
  std::string remote(const std::string& name) const { return "docker://" + front_.host() + "/" + name; }

  TestFolder folder_;
  Layout layout_ = *Layout::create(folder_.at("layout"));
  RealRegistry real_{loop};
  http::Client behind_{loop};
  FaultyFront front_{loop, behind_, real_.host()};
  Registry registry_{loop, client, keychain, front_.host(), plain_options()};
  Image base_ = empty_image(kPlatform);
};

TEST_F(Transfers, APushMountsTheBaseAndSendsTheCode) {
  const Image image = make("print('hello')");
  auto report = push(image, Origin{&registry_, Repository{"base"}, &base_.manifest});
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->mounted, 1u);
  EXPECT_EQ(report->uploaded, 1u);
  EXPECT_LT(report->sent.count, 1000u);
  // The base's layer was not fetched.
  EXPECT_EQ(std::ranges::count(front_.seen, "GET /v2/base/blobs/" + base_.manifest.layers[0].digest.text()), 0);

  auto inspected = skopeo({"inspect", "--tls-verify=false", remote("team/app:1")});
  EXPECT_TRUE(inspected.ok) << inspected.output;
  EXPECT_THAT(inspected.output, HasSubstr(report->digest.text()));
  EXPECT_THAT(inspected.output, HasSubstr(image.manifest.layers[1].digest.text()));
  auto copied = skopeo({"copy", "--preserve-digests", "--src-tls-verify=false", remote("team/app:1"),
                        "oci:" + folder_.at("copied") + ":1"});
  EXPECT_TRUE(copied.ok) << copied.output;
  auto layout = Layout::open(folder_.at("copied"));
  ASSERT_TRUE(layout) << layout.error().what;
  EXPECT_EQ(layout->find("1")->digest, report->digest);
}

TEST_F(Transfers, TheSameImageAgainSendsNothing) {
  ASSERT_TRUE(push(make("a"), Origin{&registry_, Repository{"base"}, &base_.manifest}));
  front_.seen.clear();
  auto report = push(make("a"), Origin{&registry_, Repository{"base"}, &base_.manifest});
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_TRUE(report->unchanged);
  EXPECT_EQ(report->sent, Bytes{0});
  EXPECT_THAT(front_.seen, testing::ElementsAre("HEAD /v2/team/app/manifests/1"));
}

TEST_F(Transfers, AChangeOfCodePushesOneSmallLayer) {
  ASSERT_TRUE(push(make("a"), Origin{&registry_, Repository{"base"}, &base_.manifest}));
  auto report = push(make("b"), Origin{&registry_, Repository{"base"}, &base_.manifest});
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->present, 1u);
  EXPECT_EQ(report->uploaded, 1u);
  EXPECT_LT(report->sent.count, 1000u);
}

TEST_F(Transfers, ABaseOfAnotherRegistryIsCarriedOver) {
  RealRegistry other{loop};
  Registry target{loop, client, keychain, other.host(), plain_options()};
  const Image image = make("a");
  auto report = run(push_image(loop, target, Repository{"team/app"}, Version{"1"}, image, layout_,
                               Origin{&registry_, Repository{"base"}, &base_.manifest}, {}, soon()));
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->uploaded, 2u);
  auto inspected = skopeo({"inspect", "--tls-verify=false", "docker://" + other.host() + "/team/app:1"});
  EXPECT_TRUE(inspected.ok) << inspected.output;
}

TEST_F(Transfers, ATagIsNeverHalfAnImage) {
  const Image image = make("a");
  const std::string code = image.manifest.layers[1].digest.text();
  front_.fault = [](http::Request& request) {
    const bool commit = request.method == "PUT" && request.path.find("/blobs/uploads/") != std::string_view::npos;
    return commit ? answers(http::Response::text(500, "oh")) : Fault{};
  };
  auto report = push(image, Origin{&registry_, Repository{"base"}, &base_.manifest});
  ASSERT_FALSE(report);
  EXPECT_EQ(std::ranges::count(front_.seen, "PUT /v2/team/app/manifests/1"), 0);
  front_.fault = nullptr;
  EXPECT_EQ(run(registry_.digest_of(Repository{"team/app"}, Version{"1"}, soon())), std::nullopt);
  // What is nowhere cannot be pushed either.
  auto nowhere =
      run(push_image(loop, registry_, Repository{"other"}, Version{"1"}, image, layout_, std::nullopt, {}, soon()));
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().what,
              HasSubstr("the layer " + base_.manifest.layers[0].digest.text() + " is neither in"));
  EXPECT_EQ(run(registry_.digest_of(Repository{"other"}, Version{"1"}, soon())), std::nullopt);
  EXPECT_TRUE(push(image, Origin{&registry_, Repository{"base"}, &base_.manifest}));
}

TEST_F(Transfers, AtMostSoManyBlobsAreOnTheirWay) {
  std::vector<NewLayer> layers;
  for (int i = 0; i < 10; ++i) {
    auto layer = run(write_layer(loop, layout_, {{folder_.write("f", std::to_string(i)), "f"}}, {}));
    ASSERT_TRUE(layer);
    layers.push_back({*layer, "x"});
  }
  auto image = extend_image(base_, layers, {}, kEpoch);
  ASSERT_TRUE(image);
  int open = 0;
  int most = 0;
  front_.fault = [&](http::Request& request) {
    if (request.method == "POST") most = std::max(most, ++open);
    if (request.method == "PUT") --open;
    return Fault{};
  };
  auto report = push(*image, Origin{&registry_, Repository{"base"}, &base_.manifest}, {.at_once = 3});
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->uploaded, 10u);
  EXPECT_LE(most, 4);  // no PUT comes after the one that mounts
  EXPECT_GE(most, 2);
}

TEST_F(Transfers, FiftyPushesAtOnceNeedLittleMemory) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's memory would count";
  auto layer = run(write_layer(loop, layout_, {{folder_.write("f", noise(2u << 20)), "f"}}, {}));
  ASSERT_TRUE(layer);
  auto image = extend_image(empty_image(kPlatform), {{*layer, "x"}}, {}, kEpoch);
  ASSERT_TRUE(image);
  const MemoryPeak peak;
  Registry direct{loop, client, keychain, real_.host(), plain_options()};
  auto push_one = [](Loop& loop, Registry& to, int number, const Image& image, const Layout& layout,
                     Deadline deadline) -> Task<Result<void>> {
    auto report = co_await push_image(loop, to, Repository{"app" + std::to_string(number)}, Version{"1"}, image, layout,
                                      std::nullopt, {}, deadline);
    if (!report) co_return fail(std::move(report).error());
    co_return Result<void>{};
  };
  std::vector<Task<Result<void>>> pushes;
  for (int i = 0; i < 50; ++i) pushes.push_back(push_one(loop, direct, i, *image, layout_, soon()));
  auto done = run(in_parallel(loop, 50, std::move(pushes)));
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_LT(peak.growth_kib(), 32 << 10);  // of 100 MiB that were sent
}

TEST_F(Transfers, AnUnknownBaseIsNamed) {
  auto found = run(find_image(registry_, Repository{"base"}, Version{"2"}, kPlatform, soon()));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().why, Why::not_found);
  EXPECT_EQ(found.error().what, "the image " + front_.host() + "/base:2: the registry " + front_.host() +
                                    " has no image base:2; check its name and tag");
  auto other = run(find_image(registry_, Repository{"base"}, Version{"1"}, {"linux", "arm64", ""}, soon()));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().what,
            "the image " + front_.host() + "/base:1: the image must be for linux/arm64, is for linux/amd64");
}

TEST_F(Transfers, ABaseThatIsNoImageIsNamed) {
  const struct {
    std::string type, text, message;
  } table[] = {
      {"application/vnd.docker.distribution.manifest.v1+prettyjws", R"({"schemaVersion":1})", "retired schema 1"},
      {"text/html", "<html>", "JSON is not valid"},
      {std::string(media::kManifest), R"({"schemaVersion":2})", "\"config\" must be an object"},
  };
  for (const auto& item : table) {
    front_.fault = [&](http::Request&) { return answers(http::Response::text(200, item.text, item.type)); };
    auto found = run(find_image(registry_, Repository{"base"}, Version{"1"}, kPlatform, soon()));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().why, Why::invalid);
    EXPECT_THAT(found.error().what, HasSubstr("the image " + front_.host() + "/base:1: "));
    EXPECT_THAT(found.error().what, HasSubstr(item.message));
  }
}

TEST_F(Transfers, AnIndexLeadsToThePlatformsImage) {
  const Blob manifest = base_.manifest.blob();
  const std::string index =
      index_text({{blob_of("other", media::kManifest), {"linux", "arm64", ""}, {}}, {manifest, kPlatform, {}}});
  front_.fault = [&](http::Request& request) {
    return request.path.ends_with("/manifests/all") ? answers(http::Response::text(200, index, media::kIndex))
                                                    : Fault{};
  };
  auto found = run(find_image(registry_, Repository{"base"}, Version{"all"}, kPlatform, soon()));
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->manifest.text, base_.manifest.text);
}

TEST_F(Transfers, LayersArePulledIntoALayout) {
  ASSERT_TRUE(push(make("a"), Origin{&registry_, Repository{"base"}, &base_.manifest}));
  const Layout other = *Layout::create(folder_.at("other"));
  auto image = run(find_image(registry_, Repository{"team/app"}, Version{"1"}, kPlatform, soon()));
  ASSERT_TRUE(image) << image.error().what;
  auto pulled = run(pull_layers(loop, registry_, Repository{"team/app"}, *image, other, {}, soon()));
  ASSERT_TRUE(pulled) << pulled.error().what;
  for (const Blob& layer : image->manifest.layers) EXPECT_TRUE(other.has(layer));
  auto refused =
      run(pull_layers(loop, registry_, Repository{"team/app"}, *image, other, {.largest = Bytes{1000}}, soon()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Why::too_large);
}

TEST_F(Transfers, ArchivesAreReadBySkopeoAndItsByUs) {
  const Image image = make("print('hello')");
  ASSERT_TRUE(run(pull_layers(loop, registry_, Repository{"base"}, base_, layout_, {}, soon())));
  const std::string docker = folder_.at("docker.tar");
  const std::string oci = folder_.at("oci.tar");
  const ArchiveTarget docker_target{docker, "registry.local/team/app:1"};
  const ArchiveTarget oci_target{oci, "1"};
  for (int again = 0; again < 2; ++again) {
    auto written = run(write_docker_archive(loop, layout_, image, docker_target));
    ASSERT_TRUE(written) << written.error().what;
    written = run(write_oci_archive(loop, layout_, image, oci_target));
    ASSERT_TRUE(written) << written.error().what;
    if (again == 0) std::filesystem::rename(docker, folder_.at("first.tar"));
  }
  EXPECT_EQ(folder_.read("first.tar"), folder_.read("docker.tar"));

  auto copied = skopeo({"copy", "--dest-tls-verify=false", "docker-archive:" + docker, remote("from/docker:1")});
  EXPECT_TRUE(copied.ok) << copied.output;
  copied = skopeo(
      {"copy", "--preserve-digests", "--dest-tls-verify=false", "oci-archive:" + oci + ":1", remote("from/oci:1")});
  EXPECT_TRUE(copied.ok) << copied.output;
  EXPECT_EQ(run(registry_.digest_of(Repository{"from/oci"}, Version{"1"}, soon())), image.manifest.blob().digest);
  auto pushed = run(find_image(registry_, Repository{"from/docker"}, Version{"1"}, kPlatform, soon()));
  ASSERT_TRUE(pushed) << pushed.error().what;
  EXPECT_EQ(pushed->config, image.config);

  // And back: theirs, ours, and the layers of either.
  copied = skopeo({"copy", "--src-tls-verify=false", remote("from/docker:1"),
                   "docker-archive:" + folder_.at("their.tar") + ":a:1"});
  ASSERT_TRUE(copied.ok) << copied.output;
  int count = 0;
  for (const auto& [path, name] : {std::pair{docker, "registry.local/team/app:1"}, std::pair{oci, "1"},
                                   std::pair{folder_.at("their.tar"), "docker.io/library/a:1"}}) {
    const Layout read = *Layout::create(folder_.at("read" + std::to_string(++count)));
    auto names = run(read_archive(loop, path, read));
    ASSERT_TRUE(names) << names.error().what;
    EXPECT_THAT(*names, testing::ElementsAre(name));
    auto found = read.find(name);
    ASSERT_TRUE(found) << found.error().what;
    auto manifest = parse_manifest(found->media_type, *read.read(*found, kMaxManifest));
    ASSERT_TRUE(manifest) << manifest.error().what;
    EXPECT_EQ(read.read(std::get<Manifest>(*manifest).config, kMaxConfig), image.config);
    for (const Blob& layer : std::get<Manifest>(*manifest).layers) EXPECT_TRUE(read.has(layer));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(read.folder() + "/blobs/sha256"), {}), 4);
  }
}

}  // namespace
}  // namespace nuclio::oci
