// SPDX-License-Identifier: Apache-2.0
#include "platform/process/log_reader.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "base/test_folder.h"
#include "loop/run.h"

namespace nuclio::platform::process {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

Task<std::string> read_all(http::BodySource& source) {
  std::string text;
  for (;;) {
    auto piece = co_await source.next();
    EXPECT_TRUE(piece);
    if (!piece || !*piece) co_return text;
    text += **piece;
  }
}

class LogReaderTest : public ::testing::Test {
 protected:
  std::string read(const LogRequest& request, SystemTime now = std::chrono::system_clock::now()) {
    auto source = read_log(loop_, path_, request, now, [] { return false; });
    EXPECT_TRUE(source) << source.error().what;
    return source ? run_until_done(loop_, read_all(**source)) : "";
  }

  TestFolder folder_;
  std::string path_ = folder_.at("f-1.log");
  Loop loop_;
};

TEST_F(LogReaderTest, GivesTheLastLines) {
  folder_.write("f-1.log", "one\ntwo\nthree\n");
  struct Case {
    std::optional<std::size_t> tail;
    const char* text;
  };
  for (const Case& each : {Case{{}, "one\ntwo\nthree\n"}, Case{0, ""}, Case{1, "three\n"}, Case{2, "two\nthree\n"},
                           Case{3, "one\ntwo\nthree\n"}, Case{9, "one\ntwo\nthree\n"}})
    EXPECT_EQ(read({.tail_lines = each.tail}), each.text);
  folder_.write("f-1.log", "one\nhalf");
  EXPECT_EQ(read({.tail_lines = 1}), "half");
  folder_.write("f-1.log", "");
  EXPECT_EQ(read({.tail_lines = 1}), "");
}

TEST_F(LogReaderTest, TakesLinesThatWereMovedAsideForTheOlderOnes) {
  folder_.write("f-1.log.1", "one\ntwo\n");
  folder_.write("f-1.log", "three\n");
  EXPECT_EQ(read({}), "one\ntwo\nthree\n");
  EXPECT_EQ(read({.tail_lines = 2}), "two\nthree\n");
  EXPECT_EQ(read({.tail_lines = 1}), "three\n");
}

TEST_F(LogReaderTest, FindsTheTailOfALargeFile) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "line " + std::to_string(i) + "\n";
  folder_.write("f-1.log", text);
  std::string tail = read({.tail_lines = 40'000});
  EXPECT_THAT(tail, StartsWith("line 10000\n"));
  EXPECT_THAT(tail, EndsWith("line 49999\n"));
}

TEST_F(LogReaderTest, LeavesOutWhatIsOlderThanAsked) {
  folder_.write("f-1.log",
                "26.11.24 12:00:00.000 (I) x old\nof the old\n26.11.24 12:00:10.500 (I) x new\nof the new\n"
                "{\"time\":1795521611000,\"level\":\"info\"}\n");
  auto now = *time_of_line("26.11.24 12:00:11.000 (I) now ....");
  EXPECT_THAT(read({.since = 1s}, now), StartsWith("26.11.24 12:00:10.500 (I) x new\nof the new\n{"));
  EXPECT_THAT(read({.since = 1h}, now), StartsWith("26.11.24 12:00:00.000"));
  EXPECT_EQ(read({.since = 1ms}, now + 1h), "");
}

TEST(TimeOfLine, KnowsBothShapesAndNothingElse) {
  EXPECT_EQ(time_of_line("26.11.24 12:00:11.000 (I) x"), SystemTime{1795521611000ms});
  EXPECT_EQ(time_of_line(R"({"time":1795521611000,"level":"info"})"), SystemTime{1795521611000ms});
  for (const char* other : {"", "Traceback (most recent call last):", "26.11.24", R"({"time":"x"})"})
    EXPECT_FALSE(time_of_line(other)) << other;
}

Task<std::optional<std::string>> piece_of(http::BodySource& source) {
  auto piece = co_await source.next();
  EXPECT_TRUE(piece);
  co_return piece ? *piece : std::nullopt;
}

// What a log keeper does, step by step, and what whoever follows sees.
class FollowedLog : public LogReaderTest {
 protected:
  void follow(const LogRequest& request) {
    auto source = read_log(loop_, path_, request, std::chrono::system_clock::now(), [this] { return running_; });
    ASSERT_TRUE(source) << source.error().what;
    source_ = std::move(*source);
  }
  void append(const std::string& text) const { std::ofstream(path_, std::ios::app) << text; }
  void move_aside() const { std::filesystem::rename(path_, older_log(path_)); }
  // The next piece; "" at the end, "nothing" when none comes.
  std::string next() {
    auto piece = run_until_done(loop_, within(loop_, Deadline::in(piece_wait_), piece_of(*source_)));
    return !piece ? "nothing" : piece->value_or("");
  }

  bool running_ = true;
  std::chrono::milliseconds piece_wait_ = 10s;
  std::unique_ptr<http::BodySource> source_;
};

TEST_F(FollowedLog, GoesOnUntilTheReplicaEnds) {
  append("zero\none\n");
  follow({.follow = true, .tail_lines = 1});
  EXPECT_EQ(next(), "one\n");
  append("two\n");
  EXPECT_EQ(next(), "two\n");
  append("it ended\n");
  running_ = false;
  wake_readers(path_);
  EXPECT_EQ(next(), "it ended\n");
  EXPECT_EQ(next(), "");
}

TEST_F(FollowedLog, GoesOnWithTheNextFileAfterOneWasMovedAside) {
  append("one\n");
  follow({.follow = true});
  EXPECT_EQ(next(), "one\n");
  for (int i = 0; i < 5; ++i) {
    std::string number = std::to_string(i);
    append("last of " + number + "\n");
    move_aside();
    append("first after " + number + "\n");
    EXPECT_EQ(next(), "last of " + number + "\n");
    EXPECT_EQ(next(), "first after " + number + "\n");
  }
}

TEST_F(FollowedLog, WaitsForTheFileAfterOneThatWasMovedAside) {
  append("one\n");
  follow({.follow = true});
  EXPECT_EQ(next(), "one\n");
  move_aside();
  struct Write {
    static Task<std::string> later(Loop& loop, const std::string& path, http::BodySource& source) {
      Group group{loop};
      struct Once {
        static Task<void> write(Loop& loop, const std::string& path) {
          for (int i = 0; i < 3; ++i) co_await loop.yield();
          std::ofstream(path, std::ios::app) << "two\n";
        }
      };
      group.spawn(Once::write(loop, path));
      auto piece = co_await piece_of(source);
      co_return piece.value_or("");
    }
  };
  auto piece = run_until_done(loop_, within(loop_, Deadline::in(10s), Write::later(loop_, path_, *source_)));
  ASSERT_TRUE(piece);
  EXPECT_EQ(*piece, "two\n");
}

TEST_F(FollowedLog, SaysWhenLinesWentPastIt) {
  append("one\n");
  follow({.follow = true});
  EXPECT_EQ(next(), "one\n");
  for (const char* line : {"unread\n", "two\n", "three\n"}) {
    move_aside();
    append(line);
  }
  EXPECT_THAT(next(), HasSubstr("Lines may be missing here"));
  EXPECT_EQ(next(), "two\n");
  EXPECT_EQ(next(), "three\n");
}

TEST_F(FollowedLog, BeginsAgainWithAFileThatWasEmptied) {
  append("one\n");
  follow({.follow = true});
  EXPECT_EQ(next(), "one\n");
  std::filesystem::resize_file(path_, 0);
  append("2\n");
  EXPECT_EQ(next(), "2\n");
}

TEST_F(LogReaderTest, GivesLastWordsForMessages) {
  folder_.write("f-1.log", "one\ntwo\nthree");
  EXPECT_THAT(last_lines(path_, 2), ElementsAre("two", "three"));
  EXPECT_THAT(last_lines(folder_.at("none"), 2), ElementsAre());
}

}  // namespace
}  // namespace nuclio::platform::process
