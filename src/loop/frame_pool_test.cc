// SPDX-License-Identifier: Apache-2.0
#include "loop/frame_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace nuclio::detail {
namespace {

TEST(FramePool, GivesMemoryOfTheAskedSizeHoweverOftenItCameBack) {
  for (std::size_t size : {1u, 63u, 64u, 65u, 640u, 2048u, 2049u, 100'000u}) {
    for (int round = 0; round < 3; ++round) {
      void* first = FramePool::allocate(size);
      void* second = FramePool::allocate(size);
      EXPECT_NE(first, second);
      std::memset(first, 1, size);
      std::memset(second, 2, size);
      FramePool::free(first, size);
      FramePool::free(second, size);
    }
  }
  FramePool::release();
}

TEST(FramePool, KeepsNoMoreThanItsLimit) {
  std::vector<void*> frames(10'000);
  for (void*& frame : frames) frame = FramePool::allocate(1000);
  for (void* frame : frames) FramePool::free(frame, 1000);
  EXPECT_LE(FramePool::kept_bytes(), 300u << 10);
  FramePool::release();
  EXPECT_EQ(FramePool::kept_bytes(), 0u);
}

}  // namespace
}  // namespace nuclio::detail
