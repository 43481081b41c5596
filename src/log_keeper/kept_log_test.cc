// SPDX-License-Identifier: Apache-2.0
#include "log_keeper/kept_log.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace nuclio::log_keeper {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class KeptLogTest : public ::testing::Test {
 protected:
  ~KeptLogTest() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }
  static std::string make_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nuclio-test-XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }
  static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
  }
  std::string now() const { return read(path_); }
  std::string older() const { return read(older_); }

  std::string folder_ = make_folder();
  std::string path_ = folder_ + "/f.log";
  std::string older_ = folder_ + "/f.log.1";
};

// Until `bytes` more are written to any file of this process, as a disk fills up in the middle of a write.
class SizeLimit {
 public:
  explicit SizeLimit(std::uint64_t bytes) {
    before_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &usual_);
    rlimit limit{bytes, usual_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  SizeLimit(const SizeLimit&) = delete;
  SizeLimit& operator=(const SizeLimit&) = delete;
  ~SizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &usual_);
    std::signal(SIGXFSZ, before_);
  }

 private:
  rlimit usual_{};
  void (*before_)(int);
};

TEST_F(KeptLogTest, KeepsWhatItIsGiven) {
  KeptLog log{path_, older_, Bytes{4096}};
  log.add("one\ntw");
  log.add("o\nno end");
  EXPECT_EQ(now(), "one\ntwo\nno end");
  EXPECT_FALSE(std::filesystem::exists(older_));
}

// Pieces of any size, as a pipe gives them, and a file looked at after each of them.
TEST_F(KeptLogTest, MovesAsideWholeLinesAndLosesNone) {
  constexpr std::uint64_t kLimit = 4096;
  KeptLog log{path_, older_, Bytes{kLimit}};
  std::mt19937 random{7};
  std::string given;
  for (int i = 0; i < 20'000; ++i)
    given += "line " + std::to_string(i) + std::string(std::uniform_int_distribution<>{0, 120}(random), '.') + "\n";
  std::string seen;
  std::uint64_t known = 0;
  ino_t inode = 0;
  int moves = 0;
  for (std::size_t at = 0; at < given.size();) {
    std::size_t size = std::uniform_int_distribution<std::size_t>{1, 1500}(random);
    log.add(std::string_view(given).substr(at, size));
    at += size;
    struct stat info{};
    ASSERT_EQ(::stat(path_.c_str(), &info), 0);
    ASSERT_LE(static_cast<std::uint64_t>(info.st_size), kLimit);
    if (inode != 0 && info.st_ino != inode) {
      std::string moved = older();
      ASSERT_LE(moved.size(), kLimit);
      ASSERT_THAT(moved, EndsWith("\n"));
      seen += moved.substr(known);
      known = 0;
      ++moves;
    }
    inode = info.st_ino;
    seen += now().substr(known);
    known = static_cast<std::uint64_t>(info.st_size);
  }
  EXPECT_EQ(seen, given);
  EXPECT_GT(moves, 300);
}

TEST_F(KeptLogTest, IsBoundedAlsoWithoutALineBreak) {
  KeptLog log{path_, older_, Bytes{4096}};
  std::string given(100'000, 'x');
  log.add(given);
  EXPECT_LE(now().size(), 4096u);
  EXPECT_LE(older().size(), 4096u);
  EXPECT_GT(older().size(), 3000u);
  log.add("\nnext\n");
  EXPECT_THAT(now(), EndsWith("x\nnext\n"));
}

TEST_F(KeptLogTest, GoesOnWithAFileThatIsThere) {
  std::ofstream(path_) << std::string(3000, 'a') << "\n";
  KeptLog log{path_, older_, Bytes{4096}};
  log.add("one more\n");
  EXPECT_EQ(older().size(), 3001u);
  EXPECT_EQ(now(), "one more\n");
}

TEST_F(KeptLogTest, SaysWhatWasLostWhenThereIsRoomAgain) {
  KeptLog log{path_, older_, Bytes{1 << 20}};
  log.add("before\n");
  {
    SizeLimit full{20};
    log.add("it fits\nthis one does not\nnor does this\nand this is b");
    EXPECT_EQ(now(), "before\nit fits\n");
    log.add("roken off\n");
    EXPECT_EQ(now(), "before\nit fits\n");
  }
  log.add("after\n");
  EXPECT_THAT(now(),
              MatchesRegex("before\nit fits\n[^\n]*platform[^\n]*3 lines were lost here: File too large\nafter\n"));
}

TEST_F(KeptLogTest, EndsTheLineThatItCouldNotFinish) {
  KeptLog log{path_, older_, Bytes{1 << 20}};
  log.add("half a li");
  {
    SizeLimit full{9};
    log.add("ne\nlost\n");
  }
  log.add("after\n");
  EXPECT_THAT(now(), StartsWith("half a li\n"));
  EXPECT_THAT(now(), HasSubstr("2 lines were lost here"));
  EXPECT_THAT(now(), EndsWith("\nafter\n"));
}

TEST_F(KeptLogTest, WritesAgainOnceItsFolderIsBack) {
  std::filesystem::remove_all(folder_);
  KeptLog log{path_, older_, Bytes{4096}};
  log.add("nowhere\n");
  std::filesystem::create_directory(folder_);
  log.add("here\n");
  EXPECT_THAT(now(), HasSubstr("1 line was lost here: No such file or directory\nhere\n"));
}

TEST_F(KeptLogTest, StaysBoundedWhenNothingCanBeMovedAside) {
  std::filesystem::create_directories(older_ + "/in the way");
  KeptLog log{path_, older_, Bytes{4096}};
  for (int i = 0; i < 200; ++i) log.add("line " + std::to_string(i) + std::string(50, '.') + "\n");
  EXPECT_LE(now().size(), 4096u);
  EXPECT_THAT(now(), HasSubstr("could not be moved aside: Is a directory\n"));
  EXPECT_THAT(now(), HasSubstr("\nline 199."));
}

}  // namespace
}  // namespace nuclio::log_keeper
