// SPDX-License-Identifier: Apache-2.0
#include "http/buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace nuclio::http {
namespace {

void receive(Buffer& buffer, std::string_view text) {
  std::span<char> space = buffer.space();
  ASSERT_GE(space.size(), text.size());
  std::ranges::copy(text, space.begin());
  buffer.received(text.size());
}

TEST(Buffer, GivesItsMemoryToTheNextWhenItIsReleased) {
  Spares spares;
  Buffer first{spares};
  Buffer second{spares};
  const char* memory = first.space().data();
  receive(first, "GET /");
  first.consume(5);
  first.release();
  EXPECT_EQ(second.space().data(), memory);
  EXPECT_NE(first.space().data(), memory);
}

TEST(Buffer, KeepsWhatIsUnreadWhenItGrows) {
  Spares spares;
  Buffer buffer{spares};
  const char* small = buffer.space().data();
  receive(buffer, "read unread");
  buffer.consume(5);
  buffer.reserve(2 * Spares::kBuffer);
  EXPECT_EQ(buffer.unread(), "unread");
  EXPECT_GE(buffer.space().size(), 2 * Spares::kBuffer - 6);
  Buffer next{spares};
  EXPECT_EQ(next.space().data(), small) << "the memory that it outgrew was not given back";
}

TEST(Spares, KeepOneTextAndNoLongOne) {
  Spares spares;
  std::string text(1000, 'x');
  const char* memory = text.data();
  text.clear();
  spares.take_back_text(text);
  EXPECT_LT(text.capacity(), 100u);
  spares.lend_text(text);
  EXPECT_EQ(text.data(), memory);
  EXPECT_TRUE(text.empty());

  std::string long_text(1 << 20, 'x');
  long_text.clear();
  spares.take_back_text(long_text);
  spares.lend_text(long_text);
  EXPECT_LT(long_text.capacity(), 100u);
}

}  // namespace
}  // namespace nuclio::http
