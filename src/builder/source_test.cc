// SPDX-License-Identifier: Apache-2.0
#include "builder/source.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "base/base64.h"
#include "builder/inline_folder.h"
#include "builder/test_tale.h"
#include "spec/load.h"

namespace nuclio::builder {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
namespace json = boost::json;

class FindSource : public ::testing::Test {
 protected:
  FindSource() : runtimes_(*wire::load_runtimes(write_tale_runtime(folder_))) {}

  Result<Source> find(json::object spec) {
    json::value given(json::object{{"metadata", {{"name", "f"}, {"namespace", "nuclio"}}}, {"spec", std::move(spec)}});
    return find_source(given, runtimes_);
  }
  Result<Source> find_path(const std::string& path, json::object spec = {}) {
    spec["build"] = json::object{{"path", path}};
    return find(std::move(spec));
  }
  std::string complaint(const Result<Source>& source) { return source ? "none" : source.error().what; }

  TestFolder folder_;
  std::vector<wire::Runtime> runtimes_;
};

TEST_F(FindSource, TellsRuntimeAndHandlerFromTheNameOfAFile) {
  auto source = find_path(folder_.write("f/hello.tale", "hello"));
  ASSERT_TRUE(source) << complaint(source);
  EXPECT_EQ(source->config.spec.runtime, "tale");
  EXPECT_EQ(source->config.spec.handler, "hello:tell");
  EXPECT_EQ(source->version, "");
  EXPECT_EQ(std::get<SourceFiles>(source->code).at(0).name, "hello.tale");
}

TEST_F(FindSource, KeepsTheCodeOfAFileInTheSpecSoThatItCanBeDeployedAgainFromThere) {
  auto source = find_path(folder_.write("f/hello.tale", "hello"));
  ASSERT_TRUE(source);
  EXPECT_EQ(source->config.spec.build.function_source_code, encode_base64("hello"));
  std::filesystem::remove(folder_.at("f/hello.tale"));
  auto again = find_source(spec::to_json(source->config, spec::Secrets::shown), runtimes_);
  ASSERT_TRUE(again) << complaint(again);
  EXPECT_EQ(std::get<SourceFiles>(again->code).at(0).name, "hello.tale");
  EXPECT_EQ(std::get<SourceFiles>(again->code).at(0).text, "hello");
}

TEST_F(FindSource, TakesFurtherFilesBesideTheSourceCode) {
  const json::object files{{"lib/a.tale", encode_base64("a")}, {"notes", encode_base64("b")}};
  const json::object build{{"functionSourceCode", encode_base64("text")}, {"files", files}};
  auto source = find({{"runtime", "tale"}, {"handler", "main:tell"}, {"build", build}});
  ASSERT_TRUE(source) << complaint(source);
  const auto& code = std::get<SourceFiles>(source->code);
  ASSERT_EQ(code.size(), 3u);
  EXPECT_EQ(code[0].name, "main.tale");
  EXPECT_EQ(code[1].name, "lib/a.tale");
  EXPECT_EQ(code[1].text, "a");
  EXPECT_EQ(code[2].text, "b");
  EXPECT_EQ(source->config.spec.build.files.size(), 2u);
}

TEST_F(FindSource, RefusesFilesThatAreInTheWayOfTheSourceCode) {
  for (const char* name : {"lib.tale", "lib.tale/x"}) {
    const json::object files{{name, encode_base64("a")}};
    const json::object build{{"functionSourceCode", encode_base64("text")}, {"files", files}};
    EXPECT_EQ(complaint(find({{"runtime", "tale"}, {"handler", "lib:tell"}, {"build", build}})),
              std::string("spec.build.files must not have ") + name +
                  ", since functionSourceCode is lib.tale, as spec.handler says");
  }
  const json::object large{{"a", encode_base64(std::string(kMaxSourceFile.count, 'a'))}};
  const json::object build{{"functionSourceCode", encode_base64("text")}, {"files", large}};
  EXPECT_EQ(complaint(find({{"runtime", "tale"}, {"build", build}})),
            "spec.build.files and functionSourceCode are together larger than 16 MiB");
}

TEST_F(FindSource, KeepsTheCodeOfASmallFolderInTheSpec) {
  folder_.write("f/main.tale", "text");
  folder_.write("f/lib/more.txt", "more");
  folder_.write("f/.git/config", "");
  folder_.write("f/function.yaml", "spec: {description: told}");
  auto source = find_path(folder_.at("f"));
  ASSERT_TRUE(source) << complaint(source);
  EXPECT_TRUE(std::holds_alternative<SourceFolder>(source->code));
  const spec::Build& build = source->config.spec.build;
  EXPECT_EQ(build.function_source_code, encode_base64("text"));
  EXPECT_EQ(build.files, (std::map<std::string, std::string>{{"lib/more.txt", encode_base64("more")}}));

  std::filesystem::remove_all(folder_.at("f"));
  auto again = find_source(spec::to_json(source->config, spec::Secrets::shown), runtimes_);
  ASSERT_TRUE(again) << complaint(again);
  EXPECT_EQ(again->config.spec.description, "told");
  ASSERT_EQ(std::get<SourceFiles>(again->code).size(), 2u);
  EXPECT_EQ(std::get<SourceFiles>(again->code)[1].text, "more");
}

TEST_F(FindSource, KeepsOfAFolderWhatItHasAndNothingThatWasLeftInTheSpec) {
  folder_.write("f/main.tale", "text");
  const json::object left{{"old.tale", encode_base64("old")}};
  auto source = find({{"build", {{"path", folder_.at("f")}, {"files", left}}}});
  ASSERT_TRUE(source) << complaint(source);
  EXPECT_EQ(source->config.spec.build.function_source_code, encode_base64("text"));
  EXPECT_TRUE(source->config.spec.build.files.empty());
}

TEST_F(FindSource, LeavesTheCodeOfAFolderWhereItIsWhenACopyWouldBeAnother) {
  const auto is_kept = [&](const std::string& folder) {
    auto source = find_path(folder_.at(folder), {{"handler", "main:tell"}, {"runtime", "tale"}});
    EXPECT_TRUE(source) << complaint(source);
    return source && !source->config.spec.build.function_source_code.empty();
  };
  for (const char* folder : {"plain", "hidden", "link", "program", "large", "many", "block"})
    folder_.write(folder + std::string("/main.tale"), "text");
  EXPECT_TRUE(is_kept("plain"));
  folder_.write("hidden/.env", "TOKEN=secret");
  std::filesystem::create_symlink("main.tale", folder_.at("link/link.tale"));
  std::filesystem::permissions(folder_.write("program/run.sh", ""), std::filesystem::perms::owner_exec,
                               std::filesystem::perm_options::add);
  folder_.write("large/data", std::string(kMaxInlineFolder.count, 'x'));
  for (std::size_t i = 0; i < kMaxInlineFiles; ++i) folder_.write("many/" + std::to_string(i), "");
  folder_.write("block/main.tale", "# @nuclio.configure\n#\n# function.yaml:\n#   spec: {description: inline}\n");
  folder_.write("block/other.tale", "");
  for (const char* folder : {"hidden", "link", "program", "large", "many", "block"})
    EXPECT_FALSE(is_kept(folder)) << folder;
}

TEST_F(FindSource, TakesWhatWasFetchedAndWhereFromStaysForTheGivenToSay) {
  folder_.write("f/main.tale", "text");
  folder_.write(
      "f/function.yaml",
      "spec: {description: told, build: {codeEntryType: git, codeEntryAttributes: {s3Endpoint: http://evil}}}");
  json::object spec{{"build", {{"path", "https://example.com/f.zip"}}}};
  json::value given(json::object{{"metadata", {{"name", "f"}}}, {"spec", spec}});
  for (const std::string& fetched : {folder_.at("f"), folder_.at("f/main.tale")}) {
    auto source = find_source(given, runtimes_, fetched);
    ASSERT_TRUE(source) << complaint(source);
    EXPECT_EQ(source->config.spec.build.path, "https://example.com/f.zip");
    EXPECT_EQ(source->config.spec.build.code_entry_type, spec::CodeEntryType::implicit);
    EXPECT_EQ(source->config.spec.build.code_entry_attributes.s3_endpoint, "");
    EXPECT_EQ(source->config.spec.build.function_source_code, "");
    EXPECT_EQ(source->config.spec.description, fetched.ends_with(".tale") ? "" : "told");
  }
  for (const char* outside : {"../outside.yaml", "/etc/passwd"}) {
    given.as_object()["spec"].as_object()["build"].as_object()["functionConfigPath"] = outside;
    EXPECT_THAT(complaint(find_source(given, runtimes_, folder_.at("f"))), HasSubstr("must be a file within the code"));
  }
}

TEST_F(FindSource, NamesTheFileOfSourceCodeAfterTheHandlersModule) {
  auto source = find({{"runtime", "tale:2"},
                      {"handler", "old.story:tell"},
                      {"build", {{"functionSourceCode", encode_base64("text")}}}});
  ASSERT_TRUE(source) << complaint(source);
  EXPECT_EQ(std::get<SourceFiles>(source->code).at(0).name, "old/story.tale");
  EXPECT_EQ(source->version, "2");
}

TEST_F(FindSource, TakesFunctionYamlAsTheBaseThatGivenValuesOverride) {
  folder_.write("f/function.yaml", R"(
metadata: {name: other, labels: {a: b}}
spec:
  handler: main:tell
  runtime: tale:1
  description: from the file
  env: [{name: A, value: 1}, {name: B, value: two}]
)");
  folder_.write("f/main.tale", "");
  auto source = find_path(folder_.at("f"), {{"env", json::array{json::object{{"name", "B"}, {"value", "given"}}}}});
  ASSERT_TRUE(source) << complaint(source);
  const auto& config = source->config;
  EXPECT_EQ(config.metadata.name, "f");
  EXPECT_EQ(config.metadata.labels.at("a"), "b");
  EXPECT_EQ(config.spec.description, "from the file");
  ASSERT_EQ(config.spec.env.size(), 2u);
  EXPECT_EQ(config.spec.env[0].value, "1");
  EXPECT_EQ(config.spec.env[1].value, "given");
  EXPECT_EQ(source->version, "1");
  EXPECT_EQ(std::get<SourceFolder>(source->code).path, std::filesystem::canonical(folder_.at("f")));
}

constexpr std::string_view kInline = R"(# A tale.
# @nuclio.configure
#
# function.yaml:
#   spec:
#     handler: hello:sing
#     description: inline

once
)";

TEST_F(FindSource, ReadsTheInlineBlockOfAFileOfAFoldersOnlyFileAndOfSourceCode) {
  std::string path = folder_.write("f/hello.tale", kInline);
  for (auto& source : {find_path(path), find_path(folder_.at("f")),
                       find({{"runtime", "tale"}, {"build", {{"functionSourceCode", encode_base64(kInline)}}}})}) {
    ASSERT_TRUE(source) << complaint(source);
    EXPECT_EQ(source->config.spec.description, "inline");
    EXPECT_EQ(source->config.spec.handler, "hello:sing");
  }
}

TEST_F(FindSource, PrefersMainInAFolderOfSeveralFiles) {
  folder_.write("f/main.tale", "");
  folder_.write("f/other.tale", "");
  auto source = find_path(folder_.at("f"));
  ASSERT_TRUE(source) << complaint(source);
  EXPECT_EQ(source->config.spec.handler, "main:tell");
}

TEST_F(FindSource, SaysWhatIsMissingAndWhatToDo) {
  folder_.write("two/a.tale", "");
  folder_.write("two/b.tale", "");
  folder_.write("none/notes.txt", "");
  struct Case {
    json::object spec;
    std::string complaint;
  };
  auto with_path = [](std::string path) { return json::object{{"build", {{"path", path}}}}; };
  std::vector<Case> cases{
      {{}, "the function has no code"},
      {with_path("hello.tale"), "must be an absolute path"},
      {with_path(folder_.at("gone.tale")), "cannot find " + folder_.at("gone.tale")},
      {with_path(folder_.write("f/hello.txt", "")),
       "cannot be told from the name of hello.txt; extensions that are known: .tale"},
      {with_path(folder_.at("two")),
       "several source files (a.tale, b.tale); say which is the function's with spec.handler, such as a:handler"},
      {with_path(folder_.at("none")), "holds no function"},
      {{{"build", {{"functionSourceCode", "!"}}}, {"runtime", "tale"}}, "spec.build.functionSourceCode"},
      {{{"build", {{"functionSourceCode", "YQ=="}}}}, "spec.runtime must be set"},
      {{{"build", {{"functionSourceCode", "YQ=="}}}, {"runtime", "song"}},
       "there is no runtime \"song\"; there are: tale"},
      {{{"build", {{"functionSourceCode", "YQ=="}}}, {"runtime", "tale:9"}}, "has the versions 1, 2, not \"9\""},
      {{{"build", {{"functionSourceCode", "YQ=="}}}, {"runtime", "tale"}, {"handler", "../x:tell"}},
       "must name a module of the function's code"},
      {{{"minReplicas", -1}, {"builder", 1}}, "spec.minReplicas must be at least 0"},
  };
  for (Case& each : cases) {
    auto source = find(each.spec);
    ASSERT_FALSE(source) << each.complaint;
    EXPECT_EQ(source.error().why, Why::invalid);
    EXPECT_THAT(source.error().what, HasSubstr(each.complaint));
  }
}

TEST_F(FindSource, SaysWhereAConfigFileIsWrong) {
  folder_.write("f/main.tale", "");
  folder_.write("f/function.yaml", "spec:\n  handlr: x\n");
  auto source = find_path(folder_.at("f"));
  ASSERT_FALSE(source);
  EXPECT_THAT(source.error().what, HasSubstr("f/function.yaml: spec.handlr"));
}

TEST(SourceFileName, StaysWithinTheCode) {
  wire::Runtime runtime;
  runtime.extensions = {".js"};
  EXPECT_EQ(source_file_name("handler.js:run", runtime), "handler.js");
  EXPECT_EQ(source_file_name("main:run", runtime), "main.js");
  for (const char* bad : {"", ":run", "/etc/passwd.js:run", "../up.js:run", "..:run"})
    EXPECT_FALSE(source_file_name(bad, runtime)) << bad;
}

}  // namespace
}  // namespace nuclio::builder
