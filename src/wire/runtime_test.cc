// SPDX-License-Identifier: Apache-2.0
#include "wire/runtime.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace nuclio::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Runtimes : public ::testing::Test {
 protected:
  Runtimes() {
    std::string pattern = (fs::temp_directory_path() / "nuclio-test-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Runtimes() override { fs::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& manifest) {
    fs::create_directories(folder_ + "/" + name);
    std::ofstream(folder_ + "/" + name + "/runtime.json") << manifest;
    return folder_ + "/" + name;
  }
  std::string folder_;
};

TEST_F(Runtimes, SpeakThroughASocketUnlessTheirManifestsSayMore) {
  auto plain = load_runtime(write("plain", R"({"name": "plain", "worker": ["w"]})"));
  ASSERT_TRUE(plain);
  EXPECT_TRUE(speaks(*plain, kSocket));
  EXPECT_FALSE(speaks(*plain, kRing));
  EXPECT_TRUE(plain->parent.empty());
  auto fast = load_runtime(write(
      "fast", R"({"name": "fast", "worker": ["w"], "transports": ["ring", "socket"], "parent": ["p", "{code}"]})"));
  ASSERT_TRUE(fast);
  EXPECT_TRUE(speaks(*fast, kRing));
  EXPECT_THAT(fast->parent, ElementsAre("p", "{code}"));
  for (const char* bad : {R"(["pigeon", "socket"])", R"(["ring"])", "[]"}) {
    auto refused =
        load_runtime(write("bad", std::string{R"({"name": "bad", "worker": ["w"], "transports": )"} + bad + "}"));
    ASSERT_FALSE(refused) << bad;
    EXPECT_THAT(refused.error().what, HasSubstr("transports must"));
  }
}

TEST_F(Runtimes, AreFoundByTheirManifests) {
  write("tale", R"({"name": "tale", "extensions": [".tale"], "versions": ["1"], "worker": ["w"]})");
  write("song", R"({"name": "song", "extensions": [".song"], "protocol": "cpp-object"})");
  fs::create_directories(folder_ + "/wire");
  auto runtimes = load_runtimes(folder_);
  ASSERT_TRUE(runtimes) << runtimes.error().what;
  ASSERT_EQ(runtimes->size(), 2u);
  EXPECT_EQ((*runtimes)[0].name, "song");
  EXPECT_EQ((*runtimes)[0].protocol, Protocol::cpp_object);
  EXPECT_EQ((*runtimes)[1].folder, folder_ + "/tale");
  EXPECT_EQ(runtime_of_file(*runtimes, "hello.tale")->name, "tale");
  EXPECT_EQ(runtime_of_file(*runtimes, ".tale"), nullptr);
  EXPECT_EQ(runtime_of_file(*runtimes, "hello.txt"), nullptr);
  EXPECT_EQ((*find_runtime(*runtimes, "tale:1"))->name, "tale");
  EXPECT_EQ((*find_runtime(*runtimes, "tale"))->name, "tale");
  EXPECT_THAT(find_runtime(*runtimes, "tale:2").error().what, HasSubstr("has the versions 1, not \"2\""));
  EXPECT_THAT(find_runtime(*runtimes, "song:2").error().what, HasSubstr("has no versions"));
  EXPECT_THAT(find_runtime(*runtimes, "go").error().what, HasSubstr("there are: song, tale"));
}

TEST_F(Runtimes, WithABadManifestSayWhereAndWhat) {
  struct Case {
    const char* manifest;
    const char* complaint;
  };
  for (const Case& each :
       {Case{"{", "bad/runtime.json: "},
        Case{R"({"name": "good", "worker": ["w"]})", "name must be that of its folder, is \"good\""},
        Case{R"({"name": "bad"})", "worker must be the command"}, Case{R"({"name": "bad", "wroker": []})", "wroker"}}) {
    auto runtime = load_runtime(write("bad", each.manifest));
    ASSERT_FALSE(runtime) << each.manifest;
    EXPECT_EQ(runtime.error().why, Why::invalid);
    EXPECT_THAT(runtime.error().what, HasSubstr(each.complaint));
  }
  EXPECT_EQ(load_runtime(folder_ + "/none").error().why, Why::not_found);
}

TEST(Expand, ReplacesNamesAndLeavesOutWhatIsEmpty) {
  std::vector<std::string> command{"{runtime}/run", "--version", "{version}", "--code={code}", "{x", "{}",
                                   "{A}",           "{code}"};
  auto expanded = expand(command, {{"runtime", "/r"}, {"version", ""}, {"code", "/c"}});
  ASSERT_TRUE(expanded);
  EXPECT_THAT(*expanded, ElementsAre("/r/run", "--code=/c", "{x", "{}", "{A}", "/c"));
}

TEST(Expand, SaysWhichNameHasNoValue) {
  std::vector<std::string> command{"run", "{colour}"};
  EXPECT_THAT(expand(command, {}).error().what, HasSubstr("asks for {colour}, for which there is no value"));
}

}  // namespace
}  // namespace nuclio::wire
