// SPDX-License-Identifier: Apache-2.0
#include "dashboard/template_source.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <filesystem>

#include "base/base64.h"
#include "base/test_folder.h"
#include "loop/run.h"

namespace nuclio::dashboard {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kCertificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
constexpr const char* kText = "spec: {build: {functionSourceCode: {{ .SourceCode }}}}";

TEST(TemplateSources, AreNoneWhereNoneIsGiven) {
  EXPECT_THAT(*template_sources({}), IsEmpty());
  EXPECT_THAT(*template_sources({.git_repository = "nil", .git_reference = "nil"}), IsEmpty())
      << "what Nuclio's chart says for none";
}

TEST(TemplateSources, AreARepositoryAndAnArchive) {
  TemplateFlags flags{.git_repository = "https://git.example/templates.git",
                      .git_reference = "refs/heads/main",
                      .git_username = "ada",
                      .git_password = "hush"};
  flags.archive_address = "https://files.example/templates.zip?token=hush";
  const auto sources = template_sources(flags);
  ASSERT_TRUE(sources) << sources.error().what;
  ASSERT_EQ(sources->size(), 2U);
  const auto& git = std::get<builder::GitCode>(sources->at(0).origin.where);
  EXPECT_EQ(git.url, "https://git.example/templates.git");
  EXPECT_EQ(git.reference, "refs/heads/main");
  EXPECT_EQ(git.headers.at("Authorization"), "Basic " + encode_base64("ada:hush"));
  EXPECT_EQ(sources->at(1).origin.name, "https://files.example/templates.zip") << "which is logged";
  EXPECT_EQ(sources->at(1).layout, TemplateLayout::folders_of_the_first);
}

TEST(TemplateSources, TakeATokenOfGitHubAndAuthoritiesAsNuclioDoes) {
  std::string encoded = encode_base64(kCertificate);
  std::ranges::replace(encoded, '+', '-');
  std::ranges::replace(encoded, '/', '_');
  for (const std::string& given : {std::string(kCertificate), encoded}) {
    const auto sources = template_sources(
        {.git_repository = "https://github.com/a/b", .github_access_token = "hush", .git_ca_cert = given});
    ASSERT_TRUE(sources) << sources.error().what;
    const auto& git = std::get<builder::GitCode>(sources->at(0).origin.where);
    EXPECT_EQ(git.headers.at("Authorization"), "Basic " + encode_base64("x-access-token:hush"));
    EXPECT_EQ(git.authorities, kCertificate);
    EXPECT_EQ(git.reference, "HEAD");
  }
}

TEST(TemplateSources, SayWhichFlagIsWrongWithoutWhatIsSecret) {
  struct Case {
    TemplateFlags flags;
    std::string_view says;
  };
  const Case cases[] = {
      {{.git_repository = "ftp://h/x"}, "--templates-git-repository must be a repository's URL"},
      {{.git_repository = "https://u:hush@h/x"}, "--templates-git-repository: a URL must not have a user name in it"},
      {{.git_repository = "--upload-pack=hush"}, "--templates-git-repository must be"},
      {{.git_repository = "https://h/x", .git_reference = "main"}, "--templates-git-ref must be a full name such as"},
      {{.git_repository = "https://h/x", .git_reference = "refs/heads/a b"}, "--templates-git-ref must be"},
      {{.git_repository = "https://h/x", .git_ca_cert = "hush"}, "--templates-git-ca-cert-contents: "},
      {{.archive_address = "file://templates.zip"}, "--templates-archive-address must be file:// and an absolute path"},
      {{.archive_address = "templates.zip"}, "--templates-archive-address: a URL must begin with"},
  };
  for (const Case& each : cases) {
    const auto sources = template_sources(each.flags);
    ASSERT_FALSE(sources) << each.says;
    EXPECT_THAT(sources.error().what, HasSubstr(each.says));
    if (each.flags.git_repository.starts_with("https")) EXPECT_THAT(sources.error().what, Not(HasSubstr("hush")));
  }
}

class ReadTemplates : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& source = "code") {
    folder_.write(path + "/function.yaml.template", kText);
    folder_.write(path + "/function.yaml.values", "who: {displayName: Who}");
    folder_.write(path + "/main.py", source);
  }
  std::vector<std::string> read(TemplateLayout layout, TemplateLimits limits = {}) {
    found_ = run_until_done(loop_, read_templates(loop_, folder_.path(), layout, limits));
    std::vector<std::string> names;
    for (const FunctionTemplate& each : found_) names.push_back(each.name);
    return names;
  }

  Loop loop_;
  TestFolder folder_;
  std::vector<FunctionTemplate> found_;
};

TEST_F(ReadTemplates, FindsThemInAnyFolderOfARepository) {
  write("one");
  write("python/deep/two");
  folder_.write("README.md", "# Templates");
  EXPECT_THAT(read(TemplateLayout::any_folder), ElementsAre("one", "two"));
  EXPECT_EQ(found_.at(0).text, "spec: {build: {functionSourceCode: " + encode_base64("code") + "}}");
  EXPECT_EQ(found_.at(0).values.at("who").at("displayName"), "Who");
}

TEST_F(ReadTemplates, FindsThemInAZipWhereNuclioPutsThem) {
  write("root/one");
  write("two");
  write("root/deep/three");
  EXPECT_THAT(read(TemplateLayout::folders_of_the_first), ElementsAre("one"));
}

TEST_F(ReadTemplates, TakesTheFirstFileThatCanBeCode) {
  write("one");
  folder_.write("one/.hidden", "no");
  folder_.write("one/a.yaml", "no");
  folder_.write("one/b.cc", "yes");
  ASSERT_THAT(read(TemplateLayout::any_folder), ElementsAre("one"));
  EXPECT_THAT(found_.at(0).text, HasSubstr(encode_base64("yes")));
}

TEST_F(ReadTemplates, LeavesOutWhatIsNoTemplate) {
  write("good");
  folder_.write("no-values/function.yaml.template", kText);
  folder_.write("no-code/function.yaml.template", kText);
  folder_.write("no-code/function.yaml.values", "{}");
  write("odd-values");
  folder_.write("odd-values/function.yaml.values", "- a list");
  write("no-text");
  folder_.write("no-text/function.yaml.template", "\xFF\xFE");
  write("again/good");
  write("linked");
  std::filesystem::remove(folder_.at("linked/function.yaml.values"));
  std::filesystem::create_symlink("/etc/hostname", folder_.at("linked/function.yaml.values"));
  EXPECT_THAT(read(TemplateLayout::any_folder), ElementsAre("good"));
}

TEST_F(ReadTemplates, BoundsWhatItTakes) {
  for (const char* name : {"a", "b", "c", "d"}) write(name, std::string(name[0] == 'b' ? 2000 : 10, 'x'));
  EXPECT_THAT(read(TemplateLayout::any_folder, {.templates = 2, .file = Bytes{1000}}), ElementsAre("a", "c"));
  EXPECT_THAT(read(TemplateLayout::any_folder, {.total = Bytes{500}}), ElementsAre("a"));
}

}  // namespace
}  // namespace nuclio::dashboard
