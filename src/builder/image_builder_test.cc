// SPDX-License-Identifier: Apache-2.0
// Images of functions against a real registry, and a front before it that fails as it is told.
#include "builder/image_builder.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <filesystem>

#include "builder/commands_sandbox.h"
#include "builder/test_base.h"
#include "builder/test_tale.h"
#include "loop/group.h"
#include "oci/tar_writer.h"
#include "oci/test_memory.h"
#include "oci/test_registry.h"
#include "oci/unpack.h"

namespace nuclio::builder {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;

constexpr const char* kSecret = "c4nary-hush";

class ImageBuilderTest : public ::testing::Test, public oci::TestBench {
 protected:
  ImageBuilderTest() : runtimes_(*wire::load_runtimes(write_tale_runtime(folder_))) {
    runtimes_[0].image = "tale:{version}";
    runtimes_[0].image_version = "2";
    runtimes_[0].version_variable = "TALE_VERSION";
    folder_.write_program("parts/processor", "#!/bin/sh\n" + oci::noise(200'000));
    folder_.write("parts/lib/libtale.so", oci::noise(100'000, 2));
    // For an image it leaves nothing that names a place of this machine.
    folder_.write_program("runtimes/tale/prepare", R"sh(#!/bin/sh
echo "version $8" > "$4/told"
if grep -qs broken "$2"/*.tale; then
  echo "line 1 is broken; mend it" >&2
  exit 1
fi
)sh");
    folder_.write("f/main.tale", "once");
  }
  void SetUp() override { push_base(registry_.host()); }

  // "base/tale:1", whose layer is one of the registry's largest.
  void push_base(const std::string& host, const std::string& config = R"("Env":["TALE_VERSION=2.7.1","PATH=/bin"])") {
    oci::Registry registry{loop, client, keychain, host, oci::plain_options()};
    auto pushed = run(push_configured(registry, config));
    ASSERT_TRUE(pushed) << pushed.error().what;
  }
  Task<Result<void>> push_configured(oci::Registry& registry, std::string inner, std::string layer = base_layer()) {
    const std::string config = R"({"architecture":")" + oci::this_platform().architecture +
                               R"(","os":"linux","config":{)" + inner + R"(},"rootfs":{"type":"layers","diff_ids":[")" +
                               oci::Digest::of(layer).text() + R"("]}})";
    const oci::Repository repository{"base/tale"};
    const oci::Blob config_blob = oci::blob_of(config, oci::media::kConfig);
    const oci::Blob layer_blob = oci::blob_of(layer, oci::media::kLayer);
    CO_TRY_DO(co_await registry.upload_blob(repository, config_blob, config, soon()));
    CO_TRY_DO(co_await registry.upload_blob(repository, layer_blob, layer, soon()));
    const oci::Manifest manifest = oci::make_manifest(config_blob, {layer_blob});
    co_return co_await registry.put_manifest(repository, oci::Version{"1"}, manifest.blob(), manifest.text, soon());
  }
  // A tar of one file, made without a tar program: what is in it does not matter here.
  static std::string base_layer() {
    std::string bytes;
    oci::TarWriter tar{[&](std::string_view piece) {
      bytes += piece;
      return Result<void>{};
    }};
    const std::string text = oci::noise(1'000'000, 3);
    EXPECT_TRUE(tar.begin({.name = "base.txt", .size = Bytes{text.size()}}));
    EXPECT_TRUE(tar.data(text));
    EXPECT_TRUE(tar.finish());
    return bytes;
  }

  ImageBuilderOptions options(const std::string& cache = "cache") {
    ImageBuilderOptions options;
    options.cache = folder_.at(cache);
    options.parts = folder_.at("parts");
    options.program = NUCLIO_BUILDER;
    options.environment = {"PATH=/usr/bin:/bin"};
    options.registries = oci::plain_options();
    return options;
  }
  ImageRequest request() {
    ImageRequest request;
    request.folder = folder_.at("work" + std::to_string(++builds_));
    request.log = [this](std::string_view line) { log_.emplace_back(line); };
    return request;
  }
  Result<Source> source(json::object build, const std::string& name = "hello") {
    if (!build.contains("path")) build["path"] = folder_.at("f/main.tale");
    json::object spec{{"build", std::move(build)},
                      {"handler", "main:tell"},
                      {"runtime", "tale"},
                      {"env", json::array{json::object{{"name", "PASSWORD"}, {"value", kSecret}}}}};
    return find_source(json::object{{"metadata", {{"name", name}}}, {"spec", std::move(spec)}}, runtimes_);
  }
  json::object at(const std::string& host, json::object more = {}) {
    json::object build{{"registry", "http://" + host}, {"baseImage", host + "/base/tale:1"}};
    for (const auto& [key, value] : more) build[key] = value;
    return build;
  }
  Result<BuiltImage> build(json::object spec, ImageRequest asked, const std::string& cache = "cache") {
    TRY(const Source what, source(std::move(spec)));
    ImageBuilder builder{loop, client, keychain, options(cache)};
    return run(builder.build(what, std::move(asked), soon()));
  }
  Result<BuiltImage> build(json::object spec) { return build(std::move(spec), request()); }

  Result<oci::Image> pull(const std::string& repository, const std::string& tag = "latest") {
    oci::Registry registry{loop, client, keychain, registry_.host(), oci::plain_options()};
    return run(oci::find_image(registry, oci::Repository{repository}, oci::Version{tag}, oci::this_platform(), soon()));
  }
  // The image's files, beneath a new folder.
  std::string unpacked(const std::string& repository) {
    oci::Registry registry{loop, client, keychain, registry_.host(), oci::plain_options()};
    auto image = pull(repository);
    EXPECT_TRUE(image) << image.error().what;
    const std::string root = folder_.at("root" + std::to_string(++builds_));
    fs::create_directories(root);
    auto layout = oci::Layout::create(folder_.at("pulled"));
    EXPECT_TRUE(run(oci::pull_layers(loop, registry, oci::Repository{repository}, *image, *layout, {}, soon())));
    auto unpacker = oci::Unpacker::into(root);
    for (const oci::Blob& layer : image->manifest.layers)
      EXPECT_TRUE(run(unpacker->layer(loop, layout->path(layer.digest))));
    return root.substr(folder_.path().size() + 1);
  }

  TestFolder folder_;
  oci::RealRegistry registry_{loop};
  std::vector<wire::Runtime> runtimes_;
  std::vector<std::string> log_;
  int builds_ = 0;
};

TEST_F(ImageBuilderTest, PutsProcessorRuntimeAndCodeOntoTheBase) {
  auto built = build(at(registry_.host()));
  ASSERT_TRUE(built) << built.error().what;
  EXPECT_EQ(built->name, registry_.host() + "/nuclio/processor-hello:latest");
  EXPECT_EQ(built->push->mounted, 1u);
  const std::string root = unpacked("nuclio/processor-hello");
  EXPECT_EQ(folder_.read(root + "/opt/nuclio/main.tale"), "once");
  EXPECT_EQ(folder_.read(root + "/usr/local/bin/processor"), folder_.read("parts/processor"));
  EXPECT_TRUE(folder_.has(root + "/usr/local/lib/nuclio/libtale.so"));
  EXPECT_TRUE(folder_.has(root + "/usr/local/share/nuclio/runtimes/tale/runtime.json"));
  EXPECT_TRUE(folder_.has(root + "/base.txt"));
  EXPECT_THAT(folder_.read(root + "/etc/nuclio/config/processor/processor.yaml"), HasSubstr("handler: main:tell"));
  // The runtime was told that it prepares for an image, and for which version.
  EXPECT_THAT(folder_.read(root + "/opt/nuclio/.nuclio/told"), HasSubstr("version 2"));
  auto image = pull("nuclio/processor-hello");
  ASSERT_TRUE(image);
  EXPECT_THAT(image->config, HasSubstr(R"("Cmd":["/usr/local/bin/processor"])"));
  EXPECT_THAT(image->config, HasSubstr("TALE_VERSION=2.7.1"));
  EXPECT_THAT(image->manifest.text, HasSubstr("org.opencontainers.image.base.digest"));
}

TEST_F(ImageBuilderTest, EqualInputIsTheSameDigestAndSendsNothing) {
  auto first = build(at(registry_.host()));
  ASSERT_TRUE(first) << first.error().what;
  auto second = build(at(registry_.host()));
  // Another machine, which remembers nothing.
  auto elsewhere = build(at(registry_.host()), request(), "other-cache");
  ASSERT_TRUE(second && elsewhere);
  EXPECT_EQ(second->digest, first->digest);
  EXPECT_EQ(elsewhere->digest, first->digest);
  EXPECT_TRUE(second->push->unchanged);
  EXPECT_EQ(second->push->sent, Bytes{0});
  EXPECT_EQ(elsewhere->push->sent, Bytes{0});
}

TEST_F(ImageBuilderTest, AChangeOfCodeSendsOneSmallLayer) {
  ASSERT_TRUE(build(at(registry_.host())));
  folder_.write("f/main.tale", "twice");
  auto changed = build(at(registry_.host()));
  ASSERT_TRUE(changed) << changed.error().what;
  EXPECT_EQ(changed->push->uploaded, 1u);
  EXPECT_EQ(changed->push->present, 2u);
  EXPECT_LT(changed->push->sent.count, 4000u);
}

TEST_F(ImageBuilderTest, HonoursTheTimeThatItIsGiven) {
  ImageRequest dated = request();
  dated.created = oci::ImageTime{1'000'000'000s};
  ASSERT_TRUE(build(at(registry_.host()), std::move(dated)));
  auto image = pull("nuclio/processor-hello");
  ASSERT_TRUE(image);
  EXPECT_THAT(image->config, HasSubstr(R"("created":"2001-09-09T01:46:40Z")"));
}

TEST_F(ImageBuilderTest, AChangeOfCodeRunsTheCommandsThatSeeItOverTheBaseAsItWasUnpacked) {
  oci::Registry registry{loop, client, keychain, registry_.host(), oci::plain_options()};
  ASSERT_TRUE(run(push_configured(registry, R"("Env":["TALE_VERSION=2.7.1","PATH=/bin"])", tar_of(small_base()))));
  // After the code there are two steps, since the second has another environment.
  const json::array directives{{{"kind", "RUN"}, {"value", "cp /opt/nuclio/main.tale /opt/said"}},
                               {{"kind", "ENV"}, {"value", "NAME=again"}}};
  const json::array commands{"echo before > /opt/before", "@nuclio.postCopy", "cp /opt/said /opt/$NAME",
                             "rm /opt/before"};
  const json::object spec = at(registry_.host(), {{"commands", commands}, {"directives", {{"postCopy", directives}}}});
  for (const char* code : {"once", "twice"}) {
    folder_.write("f/main.tale", code);
    log_.clear();
    auto built = build(spec);
    ASSERT_TRUE(built) << built.error().what;
    const std::string root = unpacked("nuclio/processor-hello");
    EXPECT_EQ(folder_.read(root + "/opt/said"), code);
    EXPECT_EQ(folder_.read(root + "/opt/again"), code);
    EXPECT_FALSE(folder_.has(root + "/opt/before"));
    // The base alone, and with what the first command made.
    EXPECT_EQ(std::ranges::count(log_, "unpacking the base"), code == std::string("once") ? 2 : 0);
    EXPECT_EQ(std::ranges::count(log_, "CACHED echo before > /opt/before"), code == std::string("once") ? 0 : 1);
  }
}

// Says what it was asked, and that a file was made.
class OtherPlace final : public CommandsSandbox {
 public:
  std::string_view kind() const override { return kProot; }
  Task<Result<SandboxOutcome>> run(const SandboxJob& job, const Output& output, Deadline) override {
    commands = job.job.commands;
    layers = job.job.layers.size();
    output.log("elsewhere\n");
    if (auto done = output.tar(tar_of({{{.name = "opt/made"}, "elsewhere"}})); !done) co_return fail(done.error());
    co_return SandboxOutcome{};
  }
  std::vector<std::string> commands;
  std::size_t layers = 0;
};

TEST_F(ImageBuilderTest, CommandsRunWhereItIsTold) {
  oci::Registry registry{loop, client, keychain, registry_.host(), oci::plain_options()};
  ASSERT_TRUE(run(push_configured(registry, R"("Env":["TALE_VERSION=2.7.1","PATH=/bin"])", tar_of(small_base()))));
  OtherPlace elsewhere;
  ImageRequest asked = request();
  asked.commands = &elsewhere;
  auto built = build(at(registry_.host(), {{"commands", json::array{"make it"}}}), std::move(asked));
  ASSERT_TRUE(built) << built.error().what;
  EXPECT_THAT(elsewhere.commands, ElementsAre("make it"));
  EXPECT_EQ(elsewhere.layers, 1U);
  EXPECT_EQ(std::ranges::count(log_, "elsewhere"), 1);
  EXPECT_EQ(folder_.read(unpacked("nuclio/processor-hello") + "/opt/made"), "elsewhere");
}

TEST_F(ImageBuilderTest, PackagesAreALayerThatCodeDoesNotChange) {
  runtimes_[0].packages = "{out}/packages";
  folder_.write("installed/demo/demo.txt", "a package");
  folder_.write_program("runtimes/tale/prepare",
                        "#!/bin/sh\nln -s '" + folder_.at("installed/demo") + "' \"$4/packages\"\n");
  auto first = build(at(registry_.host()));
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(folder_.read(unpacked("nuclio/processor-hello") + "/opt/nuclio/.nuclio/packages/demo.txt"), "a package");
  folder_.write("f/main.tale", "twice");
  auto second = build(at(registry_.host()));
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_EQ(second->push->uploaded, 1u);
  EXPECT_EQ(second->push->present, 3u);
}

TEST_F(ImageBuilderTest, AnEmptyBaseNeedsNoRegistryToPullFrom) {
  auto built = build({{"registry", "http://" + registry_.host()}, {"baseImage", "scratch"}});
  ASSERT_TRUE(built) << built.error().what;
  EXPECT_EQ(built->push->uploaded, 2u);
}

TEST_F(ImageBuilderTest, WritesTheImageAsFilesWithoutARegistry) {
  for (const auto kind : {ImageFile::Kind::docker_archive, ImageFile::Kind::oci_archive, ImageFile::Kind::oci_layout}) {
    ImageRequest asked = request();
    asked.file = ImageFile{kind, folder_.at("out" + std::to_string(builds_))};
    const std::string path = asked.file->path;
    auto built = build({{"baseImageRegistry", "http://" + registry_.host() + "/base"}, {"baseImage", "tale:1"}},
                       std::move(asked));
    ASSERT_TRUE(built) << built.error().what;
    EXPECT_FALSE(built->push);
    auto layout = kind == ImageFile::Kind::oci_layout
                      ? oci::Layout::open(path)
                      : oci::Layout::create(folder_.at("read" + std::to_string(builds_)));
    ASSERT_TRUE(layout) << layout.error().what;
    if (kind != ImageFile::Kind::oci_layout) {
      auto names = run(oci::read_archive(loop, path, *layout));
      ASSERT_TRUE(names) << names.error().what;
    }
    auto found = layout->find("");
    ASSERT_TRUE(found) << found.error().what;
    if (kind != ImageFile::Kind::docker_archive) EXPECT_EQ(found->digest, built->digest);
  }
}

TEST_F(ImageBuilderTest, TheLanguageOfTheBaseMustBeTheFunctions) {
  json::object spec = at(registry_.host());
  spec["path"] = folder_.at("f/main.tale");
  auto what = find_source(json::object{{"metadata", {{"name", "hello"}}},
                                       {"spec", {{"build", spec}, {"handler", "main:tell"}, {"runtime", "tale:1"}}}},
                          runtimes_);
  ASSERT_TRUE(what);
  ImageBuilder builder{loop, client, keychain, options()};
  auto built = run(builder.build(*what, request(), soon()));
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().why, Why::invalid);
  EXPECT_THAT(built.error().what, HasSubstr("spec.runtime must be tale:2 for the base image"));
  push_base(registry_.host(), R"("Env":["TALE_VERSION=9.1"])");
  auto unknown = build(at(registry_.host()));
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().what, HasSubstr("has tale 9.1, which the runtime tale does not know"));
}

TEST_F(ImageBuilderTest, ABaseThatWasFoundBeforeIsNotAskedForAgainWhenSaidSo) {
  oci::FaultyFront front{loop, client, registry_.host()};
  ASSERT_TRUE(build(at(front.host())));
  front.fault = [](http::Request& request) {
    return request.path.find("/base/tale/manifests") != std::string_view::npos
               ? oci::answers(http::Response::text(404, "gone"))
               : oci::Fault{};
  };
  EXPECT_FALSE(build(at(front.host())));
  auto built = build(at(front.host(), {{"noBaseImagesPull", true}}));
  EXPECT_TRUE(built) << built.error().what;
}

TEST_F(ImageBuilderTest, WhatIsWrongIsSaidBeforeAnyWork) {
  struct Case {
    const char* where;
    const char* says;
    std::function<oci::Fault(http::Request&)> fault;
  };
  const auto status = [](int code, std::string_view in_path, std::string method) {
    return [=](http::Request& request) {
      const bool meant = request.path.find(in_path) != std::string_view::npos && request.method == method;
      return meant ? oci::answers(http::Response::text(code, "no")) : oci::Fault{};
    };
  };
  const std::vector<Case> cases{
      {"no login", "nuclio/processor-hello",
       [](http::Request& request) {
         if (request.method != "POST") return oci::Fault{};
         http::Response response = http::Response::text(401, "no");
         response.headers.add("WWW-Authenticate", "Basic realm=\"test\"");
         return oci::answers(std::move(response));
       }},
      {"may not push", "nuclio/processor-hello", status(403, "/uploads/", "POST")},
      {"no such base", "base/tale:1", status(404, "/base/tale/manifests/", "GET")},
      {"base is no manifest", "base/tale:1",
       [](http::Request& request) {
         if (request.path.find("/base/tale/manifests/") == std::string_view::npos) return oci::Fault{};
         http::Response response;
         response.headers.add("Content-Type", oci::media::kManifest);
         response.body = std::string("{\"schemaVersion\": 2}");
         return oci::answers(std::move(response));
       }},
      {"registry fails", "500", status(500, "/uploads/", "POST")},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.where);
    oci::FaultyFront front{loop, client, registry_.host()};
    front.fault = each.fault;
    log_.clear();
    ImageRequest asked = request();
    const std::string work = asked.folder;
    const auto began = std::chrono::steady_clock::now();
    auto built = build(at(front.host()), std::move(asked));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
    ASSERT_FALSE(built);
    EXPECT_THAT(built.error().what, HasSubstr(front.host()));
    EXPECT_THAT(built.error().what, HasSubstr(each.says));
    EXPECT_FALSE(fs::exists(work));
    EXPECT_THAT(log_, ::testing::IsEmpty());
  }
}

TEST_F(ImageBuilderTest, ARegistryThatIsNotThereStopsItAtOnce) {
  auto built = build(at("127.0.0.1:1"));
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().why, Why::unavailable);
  EXPECT_THAT(built.error().what, HasSubstr("127.0.0.1:1"));
}

TEST_F(ImageBuilderTest, ABuildThatFailsLeavesTheTagAsItWas) {
  auto before = build(at(registry_.host()));
  ASSERT_TRUE(before) << before.error().what;
  folder_.write("f/main.tale", "broken");
  auto broken = build(at(registry_.host()));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().why, Why::invalid);
  EXPECT_THAT(broken.error().what, HasSubstr("line 1 is broken; mend it"));
  // And one that breaks while it is pushed.
  folder_.write("f/main.tale", "twice");
  oci::FaultyFront front{loop, client, registry_.host()};
  front.fault = [](http::Request& request) {
    return request.method == "PUT" && request.path.find("/manifests/") != std::string_view::npos
               ? oci::answers(http::Response::text(500, "no"))
               : oci::Fault{};
  };
  EXPECT_FALSE(build(at(front.host())));
  auto image = pull("nuclio/processor-hello");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->manifest.blob().digest, before->digest);
}

TEST_F(ImageBuilderTest, WhatPassesIsTriedAgain) {
  oci::FaultyFront front{loop, client, registry_.host()};
  int failed = 0;
  front.fault = [&](http::Request& request) {
    const bool upload = request.method == "PATCH" || request.method == "PUT";
    if (!upload || failed == 2) return oci::Fault{};
    return ++failed == 1 ? oci::answers(http::Response::text(429, "slow down"))
                         : oci::answers(http::Response::text(503, "busy"));
  };
  auto built = build(at(front.host()));
  EXPECT_TRUE(built) << built.error().what;
  EXPECT_EQ(failed, 2);
}

TEST_F(ImageBuilderTest, NoSecretOfTheFunctionIsInLogOrImage) {
  folder_.write("f/function.yaml", std::string("spec:\n  env: [{name: OTHER, value: ") + kSecret + "}]\n");
  auto built = build(at(registry_.host()));
  ASSERT_TRUE(built) << built.error().what;
  EXPECT_THAT(log_, Each(Not(HasSubstr(kSecret))));
  auto image = pull("nuclio/processor-hello");
  ASSERT_TRUE(image);
  EXPECT_THAT(image->config, Not(HasSubstr(kSecret)));
  EXPECT_THAT(image->manifest.text, Not(HasSubstr(kSecret)));
  const std::string root = folder_.at(unpacked("nuclio/processor-hello"));
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.is_regular_file())
      EXPECT_THAT(folder_.read(entry.path().lexically_relative(folder_.path()).string()), Not(HasSubstr(kSecret)))
          << entry.path();
}

Task<void> build_one(ImageBuilder& builder, const Source& what, ImageRequest request, Deadline deadline, int& built,
                     std::string& trouble) {
  auto done = co_await builder.build(what, std::move(request), deadline);
  if (done) {
    ++built;
  } else {
    trouble = done.error().what;
  }
}

Task<bool> all_done(Group& group) { co_return co_await group.empty(Deadline::in(90s)); }

TEST_F(ImageBuilderTest, FiftyAtOnceWorkAFewAtATime) {
  constexpr int kMany = 50;
  ImageBuilder builder{loop, client, keychain, options()};
  std::vector<Source> sources;
  for (int i = 0; i < kMany; ++i) {
    auto what = source(at(registry_.host()), "hello-" + std::to_string(i));
    ASSERT_TRUE(what);
    sources.push_back(std::move(*what));
  }
  int built = 0;
  std::string trouble;
  const oci::MemoryPeak peak;
  Group group{loop};
  for (const Source& each : sources)
    group.spawn(build_one(builder, each, request(), Deadline::in(60s), built, trouble));
  EXPECT_TRUE(run(all_done(group)));
  EXPECT_EQ(built, kMany) << trouble;
  if (!oci::kSanitized) EXPECT_LT(peak.growth_kib(), 200 << 10);
}

}  // namespace
}  // namespace nuclio::builder
