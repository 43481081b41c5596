// SPDX-License-Identifier: Apache-2.0
#include "processor/event_id.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace nuclio::processor {
namespace {

TEST(EventIds, AreRandomUuidsOfVersionFour) {
  EventIds ids;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    std::string id{view(ids.next())};
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef-"), std::string::npos) << id;
    for (std::size_t dash : {8, 13, 18, 23}) EXPECT_EQ(id[dash], '-') << id;
    EXPECT_EQ(id[14], '4') << id;
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(EventIds, DifferBetweenGenerators) {
  EventIds one;
  EventIds other;
  EXPECT_NE(view(one.next()), view(other.next()));
}

}  // namespace
}  // namespace nuclio::processor
