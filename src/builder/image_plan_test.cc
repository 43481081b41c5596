// SPDX-License-Identifier: Apache-2.0
#include "builder/image_plan.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "builder/test_tale.h"

namespace nuclio::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
namespace json = boost::json;

class ImagePlanTest : public ::testing::Test {
 protected:
  ImagePlanTest() : runtimes_(*wire::load_runtimes(write_tale_runtime(folder_))) {
    runtimes_[0].image = "tale:{version}-slim";
    runtimes_[0].image_version = "2";
    folder_.write("main.tale", "once");
  }
  Result<ImagePlan> plan(json::object build, const std::string& runtime = "tale") {
    build["path"] = folder_.at("main.tale");
    json::object spec{{"build", std::move(build)}, {"handler", "main:tell"}, {"runtime", runtime}};
    auto source = find_source(json::object{{"metadata", {{"name", "hello"}}}, {"spec", std::move(spec)}}, runtimes_);
    if (!source) return fail(source.error());
    return plan_image(*source, defaults_);
  }
  std::string base(json::object build, const std::string& runtime = "tale") {
    auto planned = plan(std::move(build), runtime);
    if (!planned) return planned.error().what;
    return planned->base ? planned->base->name.text() : "scratch";
  }
  std::string target(json::object build) {
    auto planned = plan(std::move(build));
    if (!planned) return planned.error().what;
    if (!planned->target) return "nowhere";
    return (planned->target->plain_http == oci::PlainHttp::yes ? "http://" : "") + planned->target->name.text();
  }
  Result<ImagePlan> read(json::object build, const BaseSettings& base = {}) {
    TRY(ImagePlan planned, plan(build));
    build["path"] = folder_.at("main.tale");
    TRY(const auto source,
        find_source(json::object{{"metadata", {{"name", "hello"}}},
                                 {"spec", {{"build", build}, {"handler", "main:tell"}, {"runtime", "tale"}}}},
                    runtimes_));
    TRY_DO(read_instructions(source.config.spec.build, base, planned));
    return planned;
  }
  // One directive before the copy; what is wrong with it, or "".
  std::string complaint(const std::string& kind, const std::string& value) {
    auto done = read({{"directives", {{"preCopy", json::array{json::object{{"kind", kind}, {"value", value}}}}}}});
    return done ? "" : done.error().what;
  }

  TestFolder folder_;
  std::vector<wire::Runtime> runtimes_;
  ImageDefaults defaults_;
};

TEST_F(ImagePlanTest, NamesTheImageAsNuclioDoes) {
  EXPECT_EQ(target({{"registry", "registry.local:5000"}}), "registry.local:5000/nuclio/processor-hello:latest");
  EXPECT_EQ(target({{"registry", "registry.local/team/a/"}}), "registry.local/team/a/processor-hello:latest");
  EXPECT_EQ(target({{"registry", "https://registry.local"}, {"image", "mine:1.2"}}), "registry.local/mine:1.2");
  EXPECT_EQ(target({{"registry", "http://localhost:5000"}}), "http://localhost:5000/nuclio/processor-hello:latest");
  EXPECT_EQ(target({{"registry", "docker.io/someone"}}), "docker.io/someone/processor-hello:latest");
  EXPECT_EQ(target({}), "nowhere");
  defaults_.registry = "default.local";
  EXPECT_EQ(target({}), "default.local/nuclio/processor-hello:latest");
  EXPECT_EQ(target({{"registry", "other.local"}}), "other.local/nuclio/processor-hello:latest");
}

TEST_F(ImagePlanTest, RefusesNamesThatARegistryWouldRefuseAndOnesThatLeadElsewhere) {
  EXPECT_THAT(target({{"registry", "r.local"}, {"image", "Mine:1"}}), HasSubstr("spec.build.registry and image"));
  EXPECT_THAT(target({{"registry", "r.local"}, {"image", "../x"}}), HasSubstr("image's name"));
  EXPECT_THAT(target({{"registry", "r.local"}, {"image", "a b"}}), HasSubstr("image's name"));
  EXPECT_THAT(target({{"registry", "r.local --tls"}}), HasSubstr("image's name"));
  EXPECT_THAT(target({{"registry", "team"}}), HasSubstr("for Docker Hub write docker.io/team"));
  EXPECT_THAT(target({{"registry", "r.local"}, {"image", "x@sha256:" + std::string(64, 'a')}}),
              HasSubstr("must not have a digest"));
}

TEST_F(ImagePlanTest, TakesTheRuntimesImageUnlessOneIsNamed) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(base({}), "docker.io/library/tale:2-slim");
  EXPECT_EQ(base({}, "tale:1"), "docker.io/library/tale:1-slim");
  EXPECT_EQ(base({{"baseImage", "mine:3"}}), "docker.io/library/mine:3");
  EXPECT_EQ(base({{"baseImage", "r.local/mine@" + digest}}), "r.local/mine@" + digest);
  EXPECT_EQ(base({{"baseImage", "scratch"}}), "scratch");
  EXPECT_EQ(base({{"baseImageRegistry", "r.local:1/mirror"}}), "r.local:1/mirror/tale:2-slim");
  EXPECT_EQ(base({{"baseImageRegistry", "r.local"}, {"baseImage", "quay.io/x/y:1"}}), "quay.io/x/y:1");
  EXPECT_THAT(base({{"baseImage", "mine:"}}), HasSubstr("the base image \"mine:\""));
}

TEST_F(ImagePlanTest, TheRegistryOfABaseIsTheFunctionsThenItsRuntimesThenThatOfAll) {
  defaults_.base_registry = "http://all.local:5000/hub";
  EXPECT_EQ(base({}), "all.local:5000/hub/tale:2-slim");
  EXPECT_EQ(base({{"baseImage", "mine:3"}}), "all.local:5000/hub/mine:3");
  EXPECT_EQ(base({{"baseImage", "quay.io/x/y:1"}}), "quay.io/x/y:1");
  EXPECT_EQ(base({{"baseImage", "scratch"}}), "scratch");
  EXPECT_EQ(plan({})->base->plain_http, oci::PlainHttp::yes);
  defaults_.base_registries["another"] = "another.local";
  EXPECT_EQ(base({}), "all.local:5000/hub/tale:2-slim");
  defaults_.base_registries["tale"] = "tales.local";
  EXPECT_EQ(base({}), "tales.local/tale:2-slim");
  EXPECT_EQ(plan({})->base->plain_http, oci::PlainHttp::no);
  EXPECT_EQ(base({{"baseImageRegistry", "r.local"}}), "r.local/tale:2-slim");
}

TEST_F(ImagePlanTest, AHostThatSpeaksPlainHttpDoesSoForBaseAndTarget) {
  auto planned = plan({{"registry", "http://r.local:5000"}, {"baseImage", "r.local:5000/tale:1"}});
  ASSERT_TRUE(planned) << planned.error().what;
  EXPECT_EQ(planned->base->plain_http, oci::PlainHttp::yes);
  planned = plan({{"registry", "http://r.local:5000"}, {"baseImage", "other.local/tale:1"}});
  ASSERT_TRUE(planned) << planned.error().what;
  EXPECT_EQ(planned->base->plain_http, oci::PlainHttp::no);
}

TEST_F(ImagePlanTest, CommandsRunBeforeOrAfterTheCopyAndGoOnBehindABackslash) {
  auto planned = read({{"commands", {"apt-get update", "apt-get install -y \\", "curl", "@nuclio.postCopy", "ls /opt"}},
                       {"args", {{"LEVEL", "2"}}}});
  ASSERT_TRUE(planned) << planned.error().what;
  ASSERT_EQ(planned->before_copy.steps.size(), 1u);
  EXPECT_THAT(planned->before_copy.steps[0].commands, ElementsAre("apt-get update", "apt-get install -y  curl"));
  EXPECT_THAT(planned->before_copy.steps[0].environment, ElementsAre(Pair("LEVEL", "2")));
  ASSERT_EQ(planned->after_copy.steps.size(), 1u);
  EXPECT_THAT(planned->after_copy.steps[0].commands, ElementsAre("ls /opt"));
}

TEST_F(ImagePlanTest, DirectivesAreReadInOrderAndUserAndFolderHoldForWhatFollows) {
  const auto directive = [](const char* kind, const char* value) {
    return json::object{{"kind", kind}, {"value", value}};
  };
  auto planned =
      read({{"directives",
             {{"preCopy",
               json::array{directive("run", "one"), directive("USER", "root"), directive("RUN", "two"),
                           directive("RUN", "three"), directive("ENV", "A=1 B=\"x y\" P=$PATH:/more C='$A'"),
                           directive("WORKDIR", "/srv"), directive("WORKDIR", "$A"), directive("LABEL", "team=blue"),
                           directive("EXPOSE", "80 443/tcp"), directive("ENV", "OLD the old way")}},
              {"postCopy", json::array{directive("ENTRYPOINT", R"(["a", "b c"])"), directive("CMD", "run it")}}}},
            {"commands", {"four"}}},
           {{{"PATH", "/bin"}}, "someone", "/home"});
  ASSERT_TRUE(planned) << planned.error().what;
  const auto& before = planned->before_copy;
  ASSERT_EQ(before.steps.size(), 3u);
  EXPECT_THAT(before.steps[0].commands, ElementsAre("one"));
  EXPECT_EQ(before.steps[0].user, "someone");
  EXPECT_EQ(before.steps[0].working_directory, "/home");
  EXPECT_THAT(before.steps[1].commands, ElementsAre("two", "three"));
  EXPECT_EQ(before.steps[1].user, "root");
  EXPECT_THAT(before.steps[2].commands, ElementsAre("four"));
  EXPECT_EQ(before.steps[2].working_directory, "/srv/1");
  EXPECT_THAT(before.changes.environment, ElementsAre(Pair("A", "1"), Pair("B", "x y"), Pair("P", "/bin:/more"),
                                                      Pair("C", "$A"), Pair("OLD", "the old way")));
  EXPECT_THAT(before.changes.labels, ElementsAre(Pair("team", "blue")));
  EXPECT_THAT(before.changes.exposed_ports, ElementsAre(80, 443));
  EXPECT_EQ(before.changes.user, "root");
  EXPECT_THAT(*planned->after_copy.changes.entrypoint, ElementsAre("a", "b c"));
  EXPECT_THAT(*planned->after_copy.changes.command, ElementsAre("/bin/sh", "-c", "run it"));
}

TEST_F(ImagePlanTest, AFolderWithoutASlashIsBeneathTheOneBeforeIt) {
  const json::array directives{json::object{{"kind", "WORKDIR"}, {"value", "data"}},
                               json::object{{"kind", "RUN"}, {"value", "x"}}};
  auto planned = read({{"directives", {{"preCopy", directives}}}}, {{}, "", "/srv"});
  ASSERT_TRUE(planned) << planned.error().what;
  EXPECT_EQ(planned->before_copy.steps[0].working_directory, "/srv/data");
  planned = read({{"directives", {{"preCopy", directives}}}}, {{}, "", "/"});
  ASSERT_TRUE(planned) << planned.error().what;
  EXPECT_EQ(planned->before_copy.steps[0].working_directory, "/data");
}

TEST_F(ImagePlanTest, AnArgumentsDefaultGivesWayToSpecBuildArgs) {
  const json::array arguments{
      json::object{{"kind", "ARG"}, {"value", "LEVEL=1"}}, json::object{{"kind", "ARG"}, {"value", "OTHER=two"}},
      json::object{{"kind", "ARG"}, {"value", "NONE"}}, json::object{{"kind", "RUN"}, {"value", "x"}}};
  auto planned = read({{"directives", {{"preCopy", arguments}}}, {"args", {{"LEVEL", "5"}}}});
  ASSERT_TRUE(planned) << planned.error().what;
  EXPECT_THAT(planned->before_copy.steps[0].environment, ElementsAre(Pair("LEVEL", "5"), Pair("OTHER", "two")));
  EXPECT_THAT(planned->before_copy.changes.environment, IsEmpty());
}

TEST_F(ImagePlanTest, SaysWhichDirectiveIsWrong) {
  EXPECT_THAT(complaint("COPY", "a b"), HasSubstr("spec.build.directives.preCopy[0] (COPY): the kind \"COPY\""));
  EXPECT_THAT(complaint("ENV", "A"), HasSubstr("must be NAME=VALUE"));
  EXPECT_THAT(complaint("ENV", "A=\"x"), HasSubstr("not closed"));
  EXPECT_THAT(complaint("EXPOSE", "70000"), HasSubstr("ports from 1 to 65535"));
  EXPECT_THAT(complaint("CMD", "[1]"), HasSubstr("JSON list of words"));
  auto elsewhere = read({{"directives", {{"midCopy", json::array{}}}}});
  ASSERT_FALSE(elsewhere);
  EXPECT_THAT(elsewhere.error().what, HasSubstr("must be preCopy or postCopy, has \"midCopy\""));
}

}  // namespace
}  // namespace nuclio::builder
