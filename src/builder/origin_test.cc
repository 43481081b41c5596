// SPDX-License-Identifier: Apache-2.0
#include "builder/origin.h"

#include <gmock/gmock.h>

#include "base/base64.h"
#include "base/test_folder.h"

namespace nuclio::builder {
namespace {

using spec::Build;
using spec::CodeEntryAttributes;
using spec::CodeEntryType;
using ::testing::HasSubstr;

Build build_of(CodeEntryType type, std::string path, CodeEntryAttributes attributes = {}) {
  Build build;
  build.code_entry_type = type;
  build.path = std::move(path);
  build.code_entry_attributes = std::move(attributes);
  return build;
}

template <class Where>
Where get(const Build& build, Asker asker = Asker::local) {
  auto origin = origin_of(build, asker);
  EXPECT_TRUE(origin) << origin.error().what;
  if (!origin || !*origin) return {};
  EXPECT_TRUE(std::holds_alternative<Where>((*origin)->where));
  return std::get<Where>((*origin)->where);
}

TEST(Origin, IsHereForSourceCodeAndForFilesAndFoldersOfThisMachine) {
  TestFolder folder;
  const std::string zip_folder = folder.at("folder.zip");
  std::filesystem::create_directory(zip_folder);
  Build inline_code = build_of(CodeEntryType::implicit, "https://example.com/a.zip");
  inline_code.function_source_code = "YQ==";
  for (const Build& build :
       {inline_code, build_of(CodeEntryType::implicit, "/code/main.py"),
        build_of(CodeEntryType::source_code, "/code/main.py"), build_of(CodeEntryType::jar, "/a.jar"),
        build_of(CodeEntryType::implicit, zip_folder), build_of(CodeEntryType::implicit, "")}) {
    auto origin = origin_of(build, Asker::local);
    ASSERT_TRUE(origin) << origin.error().what;
    EXPECT_FALSE(*origin) << build.path;
  }
}

TEST(Origin, OfAUrlIsAFileOrAnArchiveOfThatName) {
  const auto web = get<WebCode>(build_of(CodeEntryType::implicit, "https://example.com/a/b%20c.py?token=x#part"));
  EXPECT_EQ(web.url, "https://example.com/a/b%20c.py?token=x");
  EXPECT_EQ(web.file_name, "b c.py");
  EXPECT_FALSE(web.must_be_archive);
  const auto archive = get<WebCode>(
      build_of(CodeEntryType::archive, "http://example.com/x", {.headers = {{"Authorization", "Bearer t"}}}));
  EXPECT_TRUE(archive.must_be_archive);
  EXPECT_EQ(archive.headers.at("Authorization"), "Bearer t");
}

TEST(Origin, OfAnArchiveOfThisMachineIsThatFile) {
  EXPECT_EQ(get<ArchiveFile>(build_of(CodeEntryType::implicit, "/code/f.tar.gz")).path, "/code/f.tar.gz");
  EXPECT_EQ(get<ArchiveFile>(build_of(CodeEntryType::archive, "/code/f")).path, "/code/f");
}

TEST(Origin, OnGithubIsTheBranchsZip) {
  const auto web = get<WebCode>(build_of(CodeEntryType::github, "https://github.com/nuclio/nuclio/",
                                         {.branch = "1.x/fix", .work_dir = "/a/./b/"}));
  EXPECT_EQ(web.url, "https://github.com/nuclio/nuclio/archive/1.x/fix.zip");
  EXPECT_TRUE(web.must_be_archive);
  EXPECT_TRUE(web.in_its_only_folder);
}

TEST(Origin, TakesAWorkDirWithOrWithoutASlashAtItsBeginning) {
  for (const char* given : {"a/b", "/a/b", "//a//b/", "./a/./b"}) {
    auto origin = origin_of(build_of(CodeEntryType::archive, "/x.zip", {.work_dir = given}), Asker::local);
    ASSERT_TRUE(origin);
    EXPECT_EQ((*origin)->work_dir, "a/b") << given;
  }
}

TEST(Origin, InARepositoryIsOneReference) {
  const std::string url = "https://example.com/r.git";
  EXPECT_EQ(get<GitCode>(build_of(CodeEntryType::git, url)).reference, "HEAD");
  EXPECT_EQ(get<GitCode>(build_of(CodeEntryType::git, url, {.branch = "a/b"})).reference, "refs/heads/a/b");
  EXPECT_EQ(get<GitCode>(build_of(CodeEntryType::git, url, {.tag = "v1"})).reference, "refs/tags/v1");
  EXPECT_EQ(get<GitCode>(build_of(CodeEntryType::git, url, {.reference = "refs/pull/1/head"})).reference,
            "refs/pull/1/head");
  const std::string commit(40, 'a');
  EXPECT_EQ(get<GitCode>(build_of(CodeEntryType::git, url, {.reference = commit})).reference, commit);
  EXPECT_EQ(
      get<GitCode>(build_of(CodeEntryType::git, url, {.username = "u", .password = "p"})).headers.at("Authorization"),
      "Basic " + encode_base64("u:p"));
  EXPECT_EQ(get<GitCode>(build_of(CodeEntryType::git, "git@example.com:a/b.git")).url, "ssh://git@example.com/a/b.git");
  EXPECT_EQ(get<GitCode>(build_of(CodeEntryType::git, "/code/repository")).url, "file:///code/repository");
}

TEST(Origin, InS3HasTheBucketAsHostOrInThePath) {
  CodeEntryAttributes attributes{.s3_bucket = "code", .s3_item_key = "/a b/f.zip", .s3_region = "eu-west-1"};
  auto s3 = get<S3Code>(build_of(CodeEntryType::s3, "", attributes));
  EXPECT_EQ(s3.endpoint + s3.path, "https://code.s3.eu-west-1.amazonaws.com/a%20b/f.zip");
  EXPECT_EQ(s3.file_name, "f.zip");
  attributes.s3_bucket = "my.code";
  s3 = get<S3Code>(build_of(CodeEntryType::s3, "", attributes));
  EXPECT_EQ(s3.endpoint + s3.path, "https://s3.eu-west-1.amazonaws.com/my.code/a%20b/f.zip");
  attributes.s3_endpoint = "http://minio:9000/";
  s3 = get<S3Code>(build_of(CodeEntryType::s3, "", attributes));
  EXPECT_EQ(s3.endpoint + s3.path, "http://minio:9000/my.code/a%20b/f.zip");
}

// What somebody might try, with a word of the answer.
struct Refused {
  CodeEntryType type;
  std::string path;
  CodeEntryAttributes attributes;
  std::string says;
};

TEST(Origin, RefusesWhatIsMissingWrongOrHostile) {
  const std::string git = "https://example.com/r.git";
  const Refused table[] = {
      {CodeEntryType::implicit, "file:///etc/passwd", {}, "must be a URL of http or https"},
      {CodeEntryType::implicit, "ftp://example.com/f.zip", {}, "must be a URL of http or https"},
      {CodeEntryType::implicit, "https://user:hush@example.com/f.zip", {}, "user name"},
      {CodeEntryType::implicit, "https://example.com/a%2f..%2fb.py", {}, "without separators"},
      {CodeEntryType::implicit, "https://example.com/%2e%2e", {}, "without separators"},
      {CodeEntryType::implicit, "https://example.com/a%5cb.py", {}, "without separators"},
      {CodeEntryType::implicit, "https://example.com/a%00.py", {}, "without separators"},
      {CodeEntryType::implicit, "https://exa mple.com/", {}, "blanks"},
      {CodeEntryType::implicit, "relative.py", {}, "absolute path"},
      {CodeEntryType::archive, "", {}, "absolute path"},
      {CodeEntryType::archive, "https://example.com/x.zip", {.work_dir = "../up"}, "workDir must be a folder within"},
      {CodeEntryType::archive, "https://example.com/x.zip", {.headers = {{"A\r\nB", "hush"}}}, "headers"},
      {CodeEntryType::archive, "https://example.com/x.zip", {.headers = {{"A", "hush\r\nB: c"}}}, "headers"},
      {CodeEntryType::image, "", {}, "only a platform with containers can run"},
      {CodeEntryType::github, "https://github.com/a/b", {}, "branch must name the branch"},
      {CodeEntryType::github, "https://github.com/a/b", {.branch = "../../x"}, "branch must be a name as git allows"},
      {CodeEntryType::github, "https://github.com/a/b?x=y", {.branch = "main"}, "without a query"},
      {CodeEntryType::git, "", {}, "must be a repository's URL"},
      {CodeEntryType::git, "--upload-pack=touch /tmp/x", {}, "must be a repository's URL"},
      {CodeEntryType::git, "-oProxyCommand=x:y", {}, "must be a repository's URL"},
      {CodeEntryType::git, "ext::sh -c touch% /tmp/x", {}, "must be a repository's URL"},
      {CodeEntryType::git, "ssh://-oProxyCommand=x/r", {}, "must be a repository's URL"},
      {CodeEntryType::git, "ssh://git@-oProxyCommand=x/r", {}, "must be a repository's URL"},
      {CodeEntryType::git, "git@-oProxyCommand:r", {}, "must be a repository's URL"},
      {CodeEntryType::git, "git://example.com/r", {}, "must be a repository's URL"},
      {CodeEntryType::git, "file://host/r", {}, "must be a repository's URL"},
      {CodeEntryType::git, "https://user:hush@example.com/r", {}, "user name"},
      {CodeEntryType::git, "https://example.com/r?service=x", {}, "without a query"},
      {CodeEntryType::git, git, {.branch = "a", .tag = "b"}, "must have one of branch, tag and reference"},
      {CodeEntryType::git, git, {.branch = "--upload-pack=x"}, "branch must be a name as git allows it"},
      {CodeEntryType::git, git, {.branch = "a:refs/heads/b"}, "branch must be a name as git allows it"},
      {CodeEntryType::git, git, {.branch = "a b"}, "branch must be a name as git allows it"},
      {CodeEntryType::git, git, {.branch = "a..b"}, "branch must be a name as git allows it"},
      {CodeEntryType::git, git, {.tag = "a\nb"}, "tag must be a name as git allows it"},
      {CodeEntryType::git, git, {.reference = "main"}, "must be a full name"},
      {CodeEntryType::git, git, {.reference = "refs/heads/*"}, "reference must be a name as git allows it"},
      {CodeEntryType::s3, "", {.s3_item_key = "f.zip"}, "s3Bucket must be the name of a bucket"},
      {CodeEntryType::s3, "", {.s3_bucket = "evil.com/x", .s3_item_key = "f"}, "s3Bucket must be the name of a bucket"},
      {CodeEntryType::s3, "", {.s3_bucket = "b"}, "s3ItemKey must be the key"},
      {CodeEntryType::s3, "", {.s3_bucket = "b", .s3_item_key = "f", .s3_region = "x.evil.com/"}, "must be a region"},
      {CodeEntryType::s3, "", {.s3_bucket = "b", .s3_item_key = "f", .s3_access_key_id = "i"}, "must have both"},
      {CodeEntryType::s3, "", {.s3_bucket = "b", .s3_item_key = "f", .s3_secret_access_key = "hush"}, "must have both"},
      {CodeEntryType::s3, "", {.s3_bucket = "b", .s3_item_key = "f", .s3_session_token = "hush\nx"}, "s3SessionToken"},
      {CodeEntryType::s3,
       "",
       {.s3_bucket = "b", .s3_item_key = "f", .s3_endpoint = "minio:9000"},
       "s3Endpoint must be a URL"},
  };
  for (const Refused& each : table) {
    auto origin = origin_of(build_of(each.type, each.path, each.attributes), Asker::local);
    ASSERT_FALSE(origin) << each.path << " " << each.says;
    EXPECT_EQ(origin.error().why, Why::invalid);
    EXPECT_THAT(origin.error().what, HasSubstr(each.says));
    EXPECT_THAT(origin.error().what, testing::Not(HasSubstr("hush"))) << "a secret";
  }
}

TEST(Origin, IsNotOnThisMachineForWhoeverDoesNotWorkOnIt) {
  const std::pair<CodeEntryType, std::string> table[] = {
      {CodeEntryType::implicit, "/code/main.py"},      {CodeEntryType::source_code, "/code/main.py"},
      {CodeEntryType::archive, "/code/f.zip"},         {CodeEntryType::git, "/code/repository"},
      {CodeEntryType::git, "file:///code/repository"}, {CodeEntryType::git, "ssh://git@example.com/r"},
      {CodeEntryType::git, "git@example.com:r"},
  };
  for (const auto& [type, path] : table) {
    auto origin = origin_of(build_of(type, path), Asker::anyone);
    ASSERT_FALSE(origin) << path;
    EXPECT_EQ(origin.error().why, Why::forbidden) << path;
    EXPECT_THAT(origin.error().what, HasSubstr("builder.localSources"));
  }
}

TEST(ShownUrl, LeavesOutWhatMayBeSecret) {
  EXPECT_EQ(shown_url("https://u:p@h:1/a@b?c#d"), "https://h:1/a@b");
  EXPECT_EQ(shown_url("no url"), "no url");
}

}  // namespace
}  // namespace nuclio::builder
