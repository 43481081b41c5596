// SPDX-License-Identifier: Apache-2.0
#include "builder/followed_log.h"

#include <gmock/gmock.h>

#include <optional>

#include "loop/run.h"

namespace nuclio::builder {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;
using namespace std::chrono_literals;

Task<std::string> read_all(const FollowedLog& log) {
  const auto reader = log.read();
  std::string all;
  for (;;) {
    auto piece = co_await reader->next();
    EXPECT_TRUE(piece);
    if (!piece || !*piece) co_return all;
    all += **piece;
  }
}

Task<void> write_slowly(Loop& loop, FollowedLog& log) {
  for (const char* line : {"two\n", "three\n"}) {
    co_await loop.sleep(2ms);
    log.add(line);
  }
  log.end();
}

TEST(FollowedLog, IsReadFromItsBeginningToItsEnd) {
  Loop loop;
  FollowedLog log{loop};
  log.add("one\n");
  Group writing{loop};
  writing.spawn(write_slowly(loop, log));
  EXPECT_EQ(run_until_done(loop, read_all(log)), "one\ntwo\nthree\n");
  EXPECT_EQ(run_until_done(loop, read_all(log)), "one\ntwo\nthree\n") << "by whoever comes later, too";
}

TEST(FollowedLog, KeepsItsNewestPartAndSaysThatSomethingIsMissing) {
  Loop loop;
  FollowedLog log{loop, 1000};
  for (int i = 0; i < 1000; ++i) log.add("line " + std::to_string(i) + "\n");
  log.end();
  const std::string all = run_until_done(loop, read_all(log));
  EXPECT_THAT(
      all, AllOf(StartsWith("\n(a part of the log is left out here"), HasSubstr("line 998\n"), EndsWith("line 999\n")));
  EXPECT_THAT(all, SizeIs(testing::Lt(1200)));
}

}  // namespace
}  // namespace nuclio::builder
