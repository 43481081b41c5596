// SPDX-License-Identifier: Apache-2.0
#include "builder/code_archive.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/test_folder.h"
#include "builder/test_archive.h"
#include "loop/run.h"

namespace nuclio::builder {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class CodeArchive : public ::testing::Test {
 protected:
  // Unpacks into "root", a folder beside "outside", and looks for the function as a build does.
  Result<std::string> unpack(const std::string& bytes, const std::string& work_dir = "",
                             InOnlyFolder only = InOnlyFolder::no) {
    fs::remove_all(folder_.at("root"));
    fs::create_directory(folder_.at("root"));
    folder_.write("outside", "untouched");
    TRY_DO(run_until_done(loop_, unpack_code(loop_, folder_.write("archive", bytes), folder_.at("root"), limits_)));
    return code_folder(folder_.at("root"), only, work_dir);
  }

  TestFolder folder_;
  oci::UnpackLimits limits_;
  Loop loop_;
};

TEST_F(CodeArchive, MayBeAZipOrATarHoweverItIsCompressed) {
  const std::pair<const char*, const char*> kinds[] = {{"zip", "none"},    {"ustar", "none"}, {"ustar", "gzip"},
                                                       {"ustar", "bzip2"}, {"ustar", "xz"},   {"ustar", "zstd"},
                                                       {"ustar", "lz4"}};
  for (const auto& [format, filter] : kinds) {
    const std::string bytes = pack({{"a/main.py", "text"}, {"a/run.sh", "#!", {}, {}, AE_IFREG, 0755}}, format, filter);
    auto root = unpack(bytes);
    ASSERT_TRUE(root) << filter << root.error().what;
    EXPECT_TRUE(is_archive(folder_.at("archive"))) << format << filter;
    EXPECT_EQ(folder_.read("root/a/main.py"), "text") << format << filter;
    EXPECT_EQ(::access(folder_.at("root/a/run.sh").c_str(), X_OK), 0) << format << filter;
  }
}

TEST_F(CodeArchive, HasNoWhiteoutsAsLayersHave) {
  ASSERT_TRUE(unpack(pack({{".wh.main.py", "text"}})));
  EXPECT_EQ(folder_.read("root/.wh.main.py"), "text");
}

TEST_F(CodeArchive, IsRefusedWhenItReachesOut) {
  const std::pair<std::vector<Packed>, std::string> table[] = {
      {{{"../outside", "x"}}, "must not have \"..\" in it"},
      {{{"a/../../outside", "x"}}, "must not have \"..\" in it"},
      {{{"/etc/outside", "x"}}, "must be relative"},
      {{{"hard", {}, {}, "../outside"}}, "must be a relative name"},
      {{{"hard", {}, {}, "/etc/passwd"}}, "must be a relative name"},
      {{{"pipe", {}, {}, {}, AE_IFIFO}}, "device, a socket or a pipe"},
      {{{"device", {}, {}, {}, AE_IFCHR}}, "device, a socket or a pipe"},
      {{{"main.py", {}, "/etc/passwd"}}, "leads out of the function's folder, to /etc/passwd"},
      {{{"main.py", {}, "../outside"}}, "leads out of the function's folder, to ../outside"},
      {{{"a/b/main.py", {}, "../../../outside"}}, "leads out of the function's folder"},
      {{{"up", {}, ".."}, {"main.py", {}, "up/outside"}}, "leads out of the function's folder"},
      {{{"round", {}, "round"}}, "leads out of the function's folder"},
  };
  for (const auto& [entries, says] : table) {
    auto root = unpack(pack(entries));
    ASSERT_FALSE(root) << says;
    EXPECT_EQ(root.error().why, Why::invalid);
    EXPECT_THAT(root.error().what, HasSubstr(says));
    EXPECT_EQ(folder_.read("outside"), "untouched");
  }
  // What is written by way of a link stays within, wherever that says it leads.
  EXPECT_FALSE(unpack(pack({{"out", {}, "../.."}, {"out/outside", "x"}})));
  EXPECT_EQ(folder_.read("outside"), "untouched");
  EXPECT_FALSE(unpack(pack({{"../outside", "x"}}, "zip")));
  EXPECT_FALSE(unpack(pack({{"main.py", {}, "/etc/passwd"}}, "zip")));
  EXPECT_EQ(folder_.read("outside"), "untouched");
}

TEST_F(CodeArchive, MayHaveLinksThatStayWithin) {
  auto root = unpack(pack({{"a/main.py", "text"}, {"main.py", {}, "a/main.py"}, {"b/up.py", {}, "../main.py"}}));
  ASSERT_TRUE(root) << root.error().what;
  EXPECT_EQ(folder_.read("root/b/up.py"), "text");
}

TEST_F(CodeArchive, IsRefusedWhenItIsTooMuch) {
  const std::string zeros = pack({{"zeros", std::string(4u << 20, '\0')}}, "zip");
  limits_.total = Bytes{1u << 20};
  EXPECT_THAT(unpack(zeros).error().what, HasSubstr("at most 1048576 bytes together"));
  limits_ = {.ratio_from = Bytes{1u << 20}};
  EXPECT_THAT(unpack(pack({{"zeros", std::string(4u << 20, '\0')}}, "ustar", "gzip")).error().what,
              HasSubstr("times its size, as only an attack does"));
  limits_ = {.entries = 10};
  std::vector<Packed> many(11, Packed{"f"});
  EXPECT_THAT(unpack(pack(many)).error().what, HasSubstr("at most 10 files and folders"));
  limits_ = {.depth = 3};
  EXPECT_THAT(unpack(pack({{"a/b/c/d", "x"}})).error().what, HasSubstr("at most 3 parts"));
}

TEST_F(CodeArchive, IsRefusedWhenItIsNone) {
  for (const std::string& bytes :
       {std::string(), std::string("<html>"), std::string("PK\x03\x04nonsense"), pack({{"f", "x"}}, "7zip"),
        pack({{"main.py", std::string(3000, 'x')}}, "zip").substr(0, 60)}) {
    auto root = unpack(bytes);
    ASSERT_FALSE(root) << bytes.substr(0, 10);
    EXPECT_THAT(root.error().what, HasSubstr("must be a zip, or a tar"));
  }
}

TEST_F(CodeArchive, HoldsTheFunctionInAFolderThatIsNamed) {
  const std::string bytes = pack({{"repo-main/f/main.py", "text"}, {"repo-main/README", "x"}}, "zip");
  EXPECT_EQ(*unpack(bytes, "repo-main/f"), fs::canonical(folder_.at("root/repo-main/f")).string());
  EXPECT_EQ(*unpack(bytes, "f", InOnlyFolder::yes), fs::canonical(folder_.at("root/repo-main/f")).string());
  EXPECT_THAT(unpack(bytes, "g").error().what, HasSubstr("there is no folder \"g\" in it"));
  EXPECT_THAT(unpack(bytes, "repo-main/README").error().what, HasSubstr("there is no folder"));
  EXPECT_THAT(unpack(pack({{"a/x", "x"}, {"b/x", "x"}}), "", InOnlyFolder::yes).error().what, HasSubstr("holds more"));
  EXPECT_THAT(unpack(pack({{"link", {}, "../.."}}), "link").error().what, HasSubstr("there is no folder"));
}

TEST_F(CodeArchive, GivesFilesThatCanBeRead) {
  ASSERT_TRUE(unpack(pack({{"main.py", "text", {}, {}, AE_IFREG, 0}})));
  struct stat status{};
  ASSERT_EQ(::stat(folder_.at("root/main.py").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0600, 0600u);
}

}  // namespace
}  // namespace nuclio::builder
