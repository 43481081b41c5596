// SPDX-License-Identifier: Apache-2.0
#include "processor/memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "loop/group.h"
#include "loop/run.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

// A folder as /proc is.
class MemoryTest : public testing::Test {
 protected:
  MemoryTest() {
    std::string name = (std::filesystem::temp_directory_path() / "memory-XXXXXX").string();
    proc_ = ::mkdtemp(name.data());
  }
  ~MemoryTest() override { std::filesystem::remove_all(proc_); }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((proc_ / path).parent_path());
    std::ofstream(proc_ / path) << text;
  }
  void add(pid_t pid, int kibibytes, const std::string& children = "") {
    const std::string process = std::to_string(pid);
    write(process + "/smaps_rollup",
          "560420054000-7fffe7b94000 ---p 00000000 00:00 0      [rollup]\nRss:      9999 kB\nPss:     " +
              std::to_string(kibibytes) + " kB\nPss_Dirty:  7 kB\n");
    write(process + "/task/" + process + "/children", children);
  }
  std::optional<Bytes> measured(pid_t root) const { return memory_of_tree(proc_.string(), root); }

  std::filesystem::path proc_;
};

TEST_F(MemoryTest, AddsUpAllThatAProcessHasStarted) {
  add(10, 100, "11 12 ");
  write("10/task/15/children", "13 ");  // another of its threads started it
  add(11, 20, "14 ");
  add(12, 3);
  add(13, 1000);
  add(14, 50'000);
  add(20, 1 << 20);
  EXPECT_EQ(measured(10), Bytes{51'123ull << 10});
}

TEST_F(MemoryTest, CountsNothingForAProcessThatHasGone) {
  add(10, 100, "11 12");
  add(12, 5);
  write("12/smaps_rollup", "");  // of one that has ended and waits to be reaped
  EXPECT_EQ(measured(10), Bytes{100 << 10});
}

TEST_F(MemoryTest, IsUnknownWhereTheKernelDoesNotTell) {
  write("10/task/10/children", "11");
  add(11, 20);
  EXPECT_FALSE(measured(10));
  EXPECT_FALSE(measured(99));
}

TEST(MemoryMeter, MeasuresThisProcessForAllWhoAskAtOnce) {
  Loop loop;
  MemoryMeter meter{loop};
  auto ask = [](MemoryMeter& of, std::vector<std::optional<Bytes>>& all) -> Task<void> {
    all.push_back(co_await of.measure());
  };
  auto ask_thrice = [](Loop& here, MemoryMeter& of, auto ask_once) -> Task<std::vector<std::optional<Bytes>>> {
    std::vector<std::optional<Bytes>> all;
    Group asking{here};
    for (int i = 0; i < 3; ++i) asking.spawn(ask_once(of, all));
    (void)co_await asking.empty();
    co_await ask_once(of, all);
    co_return all;
  };
  const auto all = run_until_done(loop, ask_thrice(loop, meter, ask));
  ASSERT_EQ(all.size(), 4u);
  ASSERT_TRUE(all[0]);
  EXPECT_GT(all[0]->count, 1u << 20);
  // What was found a moment ago is not looked for again.
  for (const auto& each : all) EXPECT_EQ(each, all[0]);
  EXPECT_TRUE(run_until_done(loop, meter.finished(Deadline::in(1s))));
}

}  // namespace
}  // namespace nuclio::processor
