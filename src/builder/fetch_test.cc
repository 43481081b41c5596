// SPDX-License-Identifier: Apache-2.0
#include "builder/fetch.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/test_folder.h"
#include "builder/test_archive.h"
#include "http/test_server.h"

namespace nuclio::builder {
namespace {

using spec::Build;
using spec::CodeEntryAttributes;
using spec::CodeEntryType;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

class FetchCode : public ::testing::Test {
 protected:
  FetchCode() : client_(server_.loop) {}

  Task<http::Response> answer(http::Request& request) {
    seen_.push_back(std::string(request.target) + " " + std::string(request.headers.get("Authorization")));
    auto found = pages_.find(std::string(request.path));
    if (found == pages_.end()) co_return http::Response::text(404, "not here");
    if (!found->second.starts_with("to ")) {
      const bool page = found->second.starts_with("<html>");
      co_return http::Response::text(200, found->second,
                                     page ? "text/html; charset=utf-8" : "application/octet-stream");
    }
    http::Response response = http::Response::empty(302);
    response.headers.add("Location", found->second.substr(3));
    co_return response;
  }

  Result<std::string> fetch(CodeEntryType type, const std::string& path, CodeEntryAttributes attributes = {},
                            Asker asker = Asker::local) {
    Build build;
    build.code_entry_type = type;
    build.path = path;
    build.code_entry_attributes = std::move(attributes);
    TRY(auto origin, origin_of(build, asker));
    if (!origin) return fail(Why::internal, "it is here");
    FetchOptions options{.folder = folder_.at("fetched" + std::to_string(++count_)), .asker = asker};
    options.environment = {"PATH=/usr/bin:/bin", "HOME=/nowhere"};
    options.limits = limits_;
    options.log = [this](std::string_view line) { log_.emplace_back(line); };
    return run_until_done(server_.loop, fetch_code(server_.loop, client_, *origin, options, Deadline::in(20s)));
  }
  // Makes a repository in folder "repository" by a script.
  void git(const std::string& script) {
    const std::string command =
        "exec >/dev/null 2>&1; set -e; export HOME=/nowhere GIT_CONFIG_NOSYSTEM=1 "
        "GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b; "
        "mkdir -p " +
        folder_.at("repository") + "; cd " + folder_.at("repository") + "; " + script;
    ASSERT_EQ(std::system(command.c_str()), 0);
  }

  TestFolder folder_;
  std::map<std::string, std::string> pages_;
  std::vector<std::string> seen_;
  std::vector<std::string> log_;
  FetchLimits limits_;
  int count_ = 0;
  http::TestServer server_{[this](http::Request& request) { return answer(request); }};
  http::Client client_;
};

TEST_F(FetchCode, TakesAFileAsItIsAndUnpacksAnArchive) {
  pages_["/main.py"] = "text";
  pages_["/code.zip"] = pack({{"sub/main.py", "packed"}}, "zip");
  pages_["/f.jar"] = pages_["/code.zip"];
  auto file = fetch(CodeEntryType::implicit, server_.url("/main.py?token=hush"));
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(fs::path(*file).filename(), "main.py");
  auto folder = fetch(CodeEntryType::implicit, server_.url("/code.zip"), {.work_dir = "sub"});
  ASSERT_TRUE(folder) << folder.error().what;
  EXPECT_EQ(fs::path(*folder).filename(), "sub");
  EXPECT_TRUE(fs::exists(*folder + "/main.py"));
  auto jar = fetch(CodeEntryType::archive, server_.url("/f.jar"));
  ASSERT_TRUE(jar) << jar.error().what;
  EXPECT_TRUE(fs::exists(*jar + "/f.jar"));
  EXPECT_EQ(log_[0], "Fetching " + server_.url("/main.py"));
}

TEST_F(FetchCode, SaysWhatIsWrongWithoutTheSecretsInIt) {
  pages_["/page"] = "<html>";
  pages_["/text"] = "text";
  pages_["/evil.zip"] = pack({{"../x", "x"}}, "zip");
  const std::tuple<CodeEntryType, std::string, std::string> table[] = {
      {CodeEntryType::implicit, "/missing.py?token=hush", "/missing.py is not there, or needs a login (status 404)"},
      {CodeEntryType::implicit, "/page", "is a web page and no code"},
      {CodeEntryType::archive, "/text?token=hush", "/text must be a zip, or a tar"},
      {CodeEntryType::archive, "/evil.zip", "/evil.zip: the name \"../x\" must not have"},
  };
  for (const auto& [type, target, says] : table) {
    auto path = fetch(type, server_.url(target), {.headers = {{"Authorization", "hush"}}});
    ASSERT_FALSE(path) << target;
    EXPECT_THAT(path.error().what, HasSubstr(says));
    EXPECT_THAT(path.error().what, Not(HasSubstr("hush")));
    EXPECT_THAT(path.error().what, Not(HasSubstr(folder_.path())));
  }
  auto path = fetch(CodeEntryType::archive, server_.url("/text"), {.work_dir = "a"});
  EXPECT_FALSE(path);
}

TEST_F(FetchCode, StaysBelowItsLimit) {
  pages_["/big.py"] = std::string(3u << 20, 'x');
  limits_.download = Bytes{1u << 20};
  auto path = fetch(CodeEntryType::implicit, server_.url("/big.py"));
  ASSERT_FALSE(path);
  EXPECT_EQ(path.error().why, Why::too_large);
  EXPECT_THAT(path.error().what, HasSubstr("/big.py has more than 1 MiB"));
}

TEST_F(FetchCode, FollowsRedirectsOfTheServerThatTheUserNamed) {
  pages_["/old.py"] = "to /new.py";
  pages_["/new.py"] = "text";
  auto path = fetch(CodeEntryType::implicit, server_.url("/old.py"), {.headers = {{"Authorization", "hush"}}});
  ASSERT_TRUE(path) << path.error().what;
  EXPECT_EQ(fs::path(*path).filename(), "old.py");
  EXPECT_EQ(seen_.back(), "/new.py hush");
}

TEST_F(FetchCode, IsNotRedirectedToWhatOnlyThisMachineReaches) {
  const std::string port = std::to_string(server_.port());
  for (const std::string& to : {"http://localhost:" + port + "/x", "http://127.0.0.2:" + port + "/x",
                                std::string("http://169.254.169.254/latest"), "http://[::1]:" + port + "/x"}) {
    pages_["/go"] = "to " + to;
    auto path = fetch(CodeEntryType::implicit, server_.url("/go"));
    ASSERT_FALSE(path) << to;
    EXPECT_EQ(path.error().why, Why::forbidden) << path.error().what;
  }
  EXPECT_EQ(seen_.size(), 4u);
  pages_["/go"] = "to file:///etc/passwd";
  EXPECT_THAT(fetch(CodeEntryType::implicit, server_.url("/go")).error().what, HasSubstr("http:// or https://"));
  pages_["/go"] = "to /go";
  EXPECT_THAT(fetch(CodeEntryType::implicit, server_.url("/go")).error().what,
              HasSubstr("redirects more than 5 times"));
}

TEST_F(FetchCode, DoesNotLeadStrangersToWhatOnlyThisMachineReaches) {
  pages_["/main.py"] = "text";
  for (const auto& [type, path] : {std::pair{CodeEntryType::implicit, server_.url("/main.py")},
                                   std::pair{CodeEntryType::git, server_.url("/r")}}) {
    auto fetched = fetch(type, path, {}, Asker::anyone);
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().why, Why::forbidden);
  }
  auto s3 = fetch(CodeEntryType::s3, "", {.s3_bucket = "b", .s3_item_key = "k", .s3_endpoint = server_.url("")},
                  Asker::anyone);
  ASSERT_FALSE(s3);
  EXPECT_EQ(s3.error().why, Why::forbidden);
  EXPECT_TRUE(seen_.empty());
}

TEST_F(FetchCode, TakesOneTreeOfARepository) {
  git("git init -q -b main .; echo one >main.py; ln -s main.py link.py; git add .; git commit -qm one; git tag v1; "
      "echo two >main.py; mkdir sub; echo sub >sub/f.py; echo 'sub export-ignore' >.gitattributes; git add .; "
      "git commit -qm two; git checkout -q -b other; echo three >main.py; git commit -qam three; git checkout -q main");
  const std::string url = "file://" + folder_.at("repository");
  const auto main_of = [&](CodeEntryAttributes attributes) {
    auto path = fetch(CodeEntryType::git, url, std::move(attributes));
    EXPECT_TRUE(path) << path.error().what;
    if (!path) return std::string();
    EXPECT_FALSE(fs::exists(*path + "/.git"));
    EXPECT_FALSE(fs::exists(folder_.at("fetched" + std::to_string(count_)) + "/git"));
    std::ifstream file(*path + "/main.py");
    std::string text;
    file >> text;
    return text;
  };
  EXPECT_EQ(main_of({}), "two");
  EXPECT_THAT(log_.back(), HasSubstr("Fetched commit "));
  EXPECT_EQ(main_of({.branch = "other"}), "three");
  EXPECT_EQ(main_of({.tag = "v1"}), "one");
  EXPECT_EQ(main_of({.reference = "refs/heads/other"}), "three");
  auto sub = fetch(CodeEntryType::git, url, {.work_dir = "/sub"});
  ASSERT_TRUE(sub) << "what is marked export-ignore is there: " << sub.error().what;
  EXPECT_TRUE(fs::exists(*sub + "/f.py"));
  EXPECT_EQ(fetch(CodeEntryType::git, url, {.branch = "none"}).error().what,
            "the repository " + url + " has no branch \"none\"");
}

TEST_F(FetchCode, RunsNothingOfARepositoryAndKeepsItsLinksWithin) {
  git("git init -q -b main .; ln -s /etc/passwd function.yaml; git add .; git commit -qm one; "
      "printf '#!/bin/sh\\ntouch " +
      folder_.at("ran") +
      "\\n' >.git/hooks/post-checkout; "
      "chmod +x .git/hooks/post-checkout; git config uploadpack.packObjectsHook " +
      folder_.at("hook"));
  auto path = fetch(CodeEntryType::git, folder_.at("repository"));
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().what, HasSubstr("leads out of the function's folder, to /etc/passwd"));
  EXPECT_FALSE(folder_.has("ran"));
}

TEST_F(FetchCode, DoesNotFollowSubmodules) {
  git("git init -q -b main .; echo one >main.py; git add .; git commit -qm one; "
      "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),sub; "
      "printf '[submodule \"sub\"]\\npath = sub\\nurl = ../repository\\n' >.gitmodules; git add .gitmodules; git "
      "commit -qm two");
  auto path = fetch(CodeEntryType::git, folder_.at("repository"));
  ASSERT_TRUE(path) << path.error().what;
  EXPECT_TRUE(fs::is_empty(*path + "/sub"));
}

TEST_F(FetchCode, RefusesARepositoryThatIsTooLarge) {
  git("git init -q -b main .; head -c 3000000 /dev/urandom >big; git add .; git commit -qm one");
  limits_.download = Bytes{1u << 20};
  auto path = fetch(CodeEntryType::git, folder_.at("repository"));
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().what, HasSubstr("has more than 1 MiB"));
  // A bomb: many names for the same file.
  git("git rm -q big; head -c 100000 /dev/zero >f; for i in $(seq 30); do cp f f$i; done; git add .; git commit -qm "
      "two");
  limits_.unpacked.total = Bytes{1u << 20};
  path = fetch(CodeEntryType::git, folder_.at("repository"));
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().what, HasSubstr("has more than 1 MiB"));
}

TEST_F(FetchCode, SaysWhatIsWrongWithARepositoryOverHttp) {
  pages_["/text/info/refs"] = "text";
  EXPECT_THAT(fetch(CodeEntryType::git, server_.url("/none")).error().what,
              HasSubstr("/none is not there, or needs a login"));
  EXPECT_THAT(fetch(CodeEntryType::git, server_.url("/text")).error().what, HasSubstr("/text is no git repository"));
  EXPECT_EQ(seen_.back(), "/text/info/refs?service=git-upload-pack ");
}

TEST_F(FetchCode, AsksS3AnonymouslyOrWithASignature) {
  pages_["/b/k.zip"] = pack({{"main.py", "x"}}, "zip");
  CodeEntryAttributes attributes{.s3_bucket = "b", .s3_item_key = "k.zip", .s3_endpoint = server_.url("")};
  ASSERT_TRUE(fetch(CodeEntryType::s3, "", attributes));
  EXPECT_EQ(seen_.back(), "/b/k.zip ");
  attributes.s3_access_key_id = "ID";
  attributes.s3_secret_access_key = "hush";
  ASSERT_TRUE(fetch(CodeEntryType::s3, "", attributes));
  EXPECT_THAT(seen_.back(), HasSubstr("AWS4-HMAC-SHA256 Credential=ID/"));
  EXPECT_THAT(seen_.back(), Not(HasSubstr("hush")));
}

}  // namespace
}  // namespace nuclio::builder
