// SPDX-License-Identifier: Apache-2.0
#include "wire/event_arena.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <random>
#include <string>

#include "wire/cpus.h"
#include "wire/test_worker.h"

namespace nuclio::wire {
namespace {

struct EventArenaTest : testing::Test {
  EventArenaTest()
      : arena(std::move(*EventArena::create(loop, Bytes{32 << 20}))), reader(std::move(*arena->reader())) {}
  std::int64_t pages() {
    struct stat status;
    EXPECT_EQ(fstat(reader.get(), &status), 0);
    return status.st_blocks * 512;
  }
  Loop loop;
  std::unique_ptr<EventArena> arena;
  Descriptor reader;
};

TEST_F(EventArenaTest, BlocksOfAllSizesNeverOverlap) {
  std::mt19937 random{7};
  std::map<char*, std::size_t> blocks;
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 2 == 0 || blocks.empty()) {
      std::size_t size = std::size_t{1} << (random() % 22);
      size += random() % size;
      char* block = arena->allocate(size);
      if (!block) {
        ++refused;
        continue;
      }
      ASSERT_TRUE(arena->contains(block) && arena->contains(block + size - 1));
      auto after = blocks.lower_bound(block);
      ASSERT_TRUE(after == blocks.end() || block + size <= after->first);
      if (after != blocks.begin()) {
        auto before = std::prev(after);
        ASSERT_LE(before->first + before->second, block);
      }
      blocks.emplace(block, size);
    } else {
      auto it = std::next(blocks.begin(), static_cast<std::ptrdiff_t>(random() % blocks.size()));
      arena->release(it->first + random() % it->second);
      blocks.erase(it);
    }
    ASSERT_EQ(arena->in_use(), blocks.size());
  }
  EXPECT_GT(refused, 0);
  for (auto [block, size] : blocks) arena->release(block);
  EXPECT_EQ(arena->in_use(), 0u);
  // All regions were small blocks' or large ones': now each can be a largest one's.
  std::size_t largest = 0;
  while (arena->allocate(EventArena::kLargest)) ++largest;
  EXPECT_EQ(largest, arena->size().count / EventArena::kLargest);
}

TEST_F(EventArenaTest, HasNothingAboveTheLargestBlock) {
  EXPECT_NE(arena->allocate(EventArena::kLargest), nullptr);
  EXPECT_EQ(arena->allocate(EventArena::kLargest + 1), nullptr);
}

TEST_F(EventArenaTest, ABlockLivesUntilItsLastReference) {
  char* block = arena->allocate(3000);
  arena->retain(block + 2999);
  arena->release(block);
  EXPECT_EQ(arena->in_use(), 1u);
  EXPECT_NE(arena->allocate(3000), block);
  arena->release(block + 10);
  EXPECT_EQ(arena->in_use(), 1u);
  EXPECT_EQ(arena->allocate(3000), block) << "the warm one comes first";
}

TEST_F(EventArenaTest, AWorkerReadsAndCannotWrite) {
  char* block = arena->allocate(100);
  std::strcpy(block, "hello");
  void* mapped = mmap(nullptr, arena->size().count, PROT_READ, MAP_SHARED, reader.get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  EXPECT_STREQ(static_cast<const char*>(mapped) + arena->offset(block), "hello");
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, reader.get(), 0), MAP_FAILED);
  EXPECT_EQ(mprotect(mapped, 4096, PROT_READ | PROT_WRITE), -1);
  EXPECT_EQ(write(reader.get(), "x", 1), -1);
  EXPECT_EQ(ftruncate(reader.get(), 0), -1);
  munmap(mapped, arena->size().count);
}

TEST_F(EventArenaTest, PagesOfLargeBlocksGoBackWhenNobodyUsesThem) {
  for (int i = 0; i < 4; ++i) {
    char* block = arena->allocate(2 << 20);
    std::memset(block, 'x', 2 << 20);
    if (i == 0) arena->release(block);  // the next one is the same
  }
  std::vector<char*> small;
  for (int i = 0; i < 1000; ++i) {
    small.push_back(arena->allocate(1000));
    std::memset(small.back(), 'x', 1000);
  }
  EXPECT_GT(pages(), (6 << 20) + (900 << 10));
  for (char* block : small) arena->release(block);
  EXPECT_TRUE(run_until(loop, [&] { return pages() < (6 << 20) + (200 << 10); })) << pages();
  EXPECT_GE(pages(), 6 << 20) << "what is in use stays";
}

TEST(Cpus, ReadsAControlGroupsQuota) {
  EXPECT_EQ(quota_of("150000 100000"), 1.5);
  EXPECT_EQ(quota_of("200000 100000"), 2);
  for (const char* none : {"max 100000", "", "100000", "100000 0", "x y"}) EXPECT_GT(quota_of(none), 1e9) << none;
}

}  // namespace
}  // namespace nuclio::wire
