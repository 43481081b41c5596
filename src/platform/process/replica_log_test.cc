// SPDX-License-Identifier: Apache-2.0
#include "platform/process/replica_log.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "builder/test_folder.h"
#include "loop/run.h"
#include "platform/process/backoff.h"

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

class ReplicaLogTest : public ::testing::Test {
 protected:
  std::string read(const LogRequest& request, SystemTime now = std::chrono::system_clock::now()) {
    auto source = read_log(loop_, path_, request, now, [] { return false; });
    EXPECT_TRUE(source) << source.error().what;
    return source ? run_until_done(loop_, read_all(**source)) : "";
  }
  void append(const ReplicaLog& log, std::string_view text) {
    ASSERT_EQ(::write(log.descriptor(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  builder::TestFolder folder_;
  std::string path_ = folder_.at("f-1.log");
  Loop loop_;
};

TEST_F(ReplicaLogTest, GivesTheLastLines) {
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

TEST_F(ReplicaLogTest, TakesLinesThatWereMovedAsideForTheOlderOnes) {
  folder_.write("f-1.log.1", "one\ntwo\n");
  folder_.write("f-1.log", "three\n");
  EXPECT_EQ(read({}), "one\ntwo\nthree\n");
  EXPECT_EQ(read({.tail_lines = 2}), "two\nthree\n");
  EXPECT_EQ(read({.tail_lines = 1}), "three\n");
}

TEST_F(ReplicaLogTest, FindsTheTailOfALargeFile) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "line " + std::to_string(i) + "\n";
  folder_.write("f-1.log", text);
  std::string tail = read({.tail_lines = 40'000});
  EXPECT_THAT(tail, StartsWith("line 10000\n"));
  EXPECT_THAT(tail, EndsWith("line 49999\n"));
}

TEST_F(ReplicaLogTest, LeavesOutWhatIsOlderThanAsked) {
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

TEST_F(ReplicaLogTest, MovesAsideWhatIsTooMuchAndGoesOn) {
  auto log = ReplicaLog::create(path_);
  ASSERT_TRUE(log);
  append(*log, std::string(300, 'a') + "\n");
  log->rotate(Bytes{1000});
  EXPECT_FALSE(folder_.has("f-1.log.1"));
  append(*log, std::string(900, 'b') + "\n");
  log->rotate(Bytes{1000});
  append(*log, "after\n");
  EXPECT_EQ(folder_.read("f-1.log"), "after\n");
  EXPECT_EQ(folder_.read("f-1.log.1").size(), 1000u);  // the newest of it
  EXPECT_THAT(folder_.read("f-1.log.1"), EndsWith("b\n"));
}

Task<std::string> follow(Loop& loop, ReplicaLog& log, http::BodySource& source, bool& running) {
  std::string text;
  Group writing{loop};
  struct Writer {
    static Task<void> write(Loop& loop, ReplicaLog& log, bool& running) {
      for (const char* line : {"two", "three"}) {
        co_await loop.yield();
        log.add(line);
      }
      log.rotate(Bytes{1});
      co_await loop.yield();
      log.add("four");
      running = false;
      log.add("it ended");
    }
  };
  writing.spawn(Writer::write(loop, log, running));
  co_return co_await read_all(source);
}

TEST_F(ReplicaLogTest, IsFollowedUntilTheReplicaEnds) {
  auto log = ReplicaLog::create(path_);
  ASSERT_TRUE(log);
  log->add("zero");
  log->add("one");
  bool running = true;
  auto source = read_log(loop_, path_, {.follow = true, .tail_lines = 1}, std::chrono::system_clock::now(),
                         [&] { return running; });
  ASSERT_TRUE(source);
  auto text = run_until_done(loop_, within(loop_, Deadline::in(10s), follow(loop_, *log, **source, running)));
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, testing::Not(HasSubstr("zero")));
  EXPECT_THAT(*text, HasSubstr("one\n"));
  EXPECT_THAT(*text, EndsWith("it ended\n"));
}

TEST_F(ReplicaLogTest, GivesLastWordsForMessages) {
  folder_.write("f-1.log", "one\ntwo\nthree");
  EXPECT_THAT(last_lines(path_, 2), ElementsAre("two", "three"));
  EXPECT_THAT(last_lines(folder_.at("none"), 2), ElementsAre());
}

TEST(Backoff, DoublesUpToHalfAMinuteAndForgetsAfterAGoodMinute) {
  Backoff backoff;
  EXPECT_EQ(backoff.next(0s), 100ms);
  EXPECT_EQ(backoff.next(59s), 200ms);
  EXPECT_EQ(backoff.next(0s), 400ms);
  for (int i = 0; i < 20; ++i) (void)backoff.next(0s);
  EXPECT_EQ(backoff.next(0s), 30s);
  EXPECT_EQ(backoff.next(60s), 100ms);
}

}  // namespace
}  // namespace nuclio::platform::process
