// SPDX-License-Identifier: Apache-2.0
#include "builder/artifact.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <boost/json.hpp>

#include "builder/test_tale.h"
#include "loop/run.h"

namespace nuclio::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace json = boost::json;

class Artifact : public ::testing::Test {
 protected:
  Artifact() : runtimes_(*wire::load_runtimes(write_tale_runtime(folder_))) {}

  Result<void> make(const std::string& path, json::object build = {}) {
    build["path"] = path;
    json::object spec{{"build", std::move(build)}, {"handler", "main:tell"}, {"runtime", "tale"}};
    json::value given(json::object{{"metadata", {{"name", "f"}}}, {"spec", std::move(spec)}});
    auto source = find_source(given, runtimes_);
    if (!source) return std::unexpected(source.error());
    ArtifactOptions options{
        .code = folder_.at("out/code"), .cache = folder_.at("cache"), .environment = {"PATH=/usr/bin:/bin"}};
    options.limits = limits_;
    options.log = [this](std::string_view line) { log_.emplace_back(line); };
    return run_until_done(loop_, make_artifact(loop_, *source, options, Deadline::in(20s)));
  }

  TestFolder folder_;
  std::vector<wire::Runtime> runtimes_;
  CopyLimits limits_;
  std::vector<std::string> log_;
  Loop loop_;
};

TEST_F(Artifact, IsACopyThatTheRuntimePrepared) {
  folder_.write("f/main.tale", "once");
  folder_.write("f/parts/one.txt", "1");
  folder_.write_program("f/run.sh", "#!/bin/sh\n");
  folder_.write("f/.git/config", "");
  fs::create_symlink("parts/one.txt", folder_.at("f/link"));
  auto made = make(folder_.at("f"));
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(folder_.read("out/code/main.tale"), "once");
  EXPECT_EQ(folder_.read("out/code/link"), "1");
  EXPECT_TRUE(fs::is_symlink(folder_.at("out/code/link")));
  EXPECT_FALSE(folder_.has("out/code/.git"));
  struct stat info{};
  ASSERT_EQ(::stat(folder_.at("out/code/run.sh").c_str(), &info), 0);
  EXPECT_TRUE(info.st_mode & S_IXUSR);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("Reading link main.tale parts run.sh")));
  // Neither a version nor commands were given: their flags are left out.
  EXPECT_EQ(folder_.read("out/code/.nuclio/told"),
            "--code " + folder_.at("out/code") + " --out " + folder_.at("out/code/.nuclio") + " --handler main:tell\n");
  EXPECT_THAT(folder_.read("out/code/.nuclio/environment"), HasSubstr("TALE=once upon a time\n"));
}

TEST_F(Artifact, FailsWithTheRuntimesOwnWords) {
  auto made = make(folder_.write("f/main.tale", "broken"));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().what, "Reading main.tale \nline 1 is broken; mend it");
}

TEST_F(Artifact, HandsCommandsToTheRuntimeAndRunsNoneOfThem) {
  json::array commands{"touch " + folder_.at("ran")};
  auto made = make(folder_.write("f/main.tale", ""), {{"commands", commands}});
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(folder_.read("out/code/.nuclio/commands"), "touch " + folder_.at("ran") + "\n");
  EXPECT_FALSE(folder_.has("ran"));
}

TEST_F(Artifact, RefusesCommandsThatTheRuntimeDoesNotUnderstand) {
  auto& prepare = runtimes_[0].prepare;
  prepare.resize(prepare.size() - 2);
  auto made = make(folder_.write("f/main.tale", ""), {{"commands", {"pip install x"}}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().what, HasSubstr("spec.build.commands cannot be run on this platform"));
}

TEST_F(Artifact, TakesNothingFromOutsideOfTheFolder) {
  folder_.write("secret", "s");
  for (const std::string& target :
       {folder_.at("secret"), std::string("../secret"), std::string("parts/../../secret")}) {
    folder_.write("f/main.tale", "");
    folder_.write("f/parts/one.txt", "1");
    fs::create_symlink(target, folder_.at("f/link"));
    auto made = make(folder_.at("f"));
    ASSERT_FALSE(made) << target;
    EXPECT_THAT(made.error().what, HasSubstr("f/link leads out of the function's folder, to " + target));
    fs::remove_all(folder_.at("f"));
    fs::remove_all(folder_.at("out"));
  }
}

TEST_F(Artifact, RefusesALinkThatLeadsOutOverAnotherLink) {
  folder_.write("outside/secret", "s");
  folder_.write("f/main.tale", "");
  fs::create_directory_symlink("../outside", folder_.at("f/a"));
  fs::create_symlink("a/secret", folder_.at("f/b"));
  auto made = make(folder_.at("f"));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().what, HasSubstr("leads out of the function's folder"));
}

TEST_F(Artifact, RefusesWhatIsNeitherFileNorFolder) {
  folder_.write("f/main.tale", "");
  ASSERT_EQ(::mkfifo(folder_.at("f/pipe").c_str(), 0600), 0);
  auto made = make(folder_.at("f"));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().what, HasSubstr("f/pipe is neither a file nor a folder"));
}

TEST_F(Artifact, HasLimits) {
  folder_.write("f/main.tale", std::string(1000, 'x'));
  folder_.write("f/a/b/c.txt", "");
  struct Case {
    CopyLimits limits;
    std::string complaint;
  };
  for (const Case& each : {Case{{.total = Bytes{999}}, "too large: the limit is reached at"},
                           Case{{.files = 3}, "more than 3 files"}, Case{{.depth = 2}, "deeper than 2 folders"}}) {
    limits_ = each.limits;
    auto made = make(folder_.at("f"));
    ASSERT_FALSE(made) << each.complaint;
    EXPECT_EQ(made.error().why, Why::too_large);
    EXPECT_THAT(made.error().what, HasSubstr(each.complaint));
    fs::remove_all(folder_.at("out"));
  }
}

TEST(BuildEnvironment, HoldsNothingOfOurs) {
  EXPECT_THAT(build_environment({"PATH=/bin", "AWS_SECRET_ACCESS_KEY=x", "NUCLIO_HOME=/n", "PIP_INDEX_URL=u",
                                 "LC_ALL=C", "PYTHONPATH=/p", "PATHS=x"}),
              ElementsAre("PATH=/bin", "PIP_INDEX_URL=u", "LC_ALL=C"));
}

}  // namespace
}  // namespace nuclio::builder
