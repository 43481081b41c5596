// SPDX-License-Identifier: Apache-2.0
#include "builder/identity.h"

#include <gmock/gmock.h>

namespace nuclio::builder {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\nbroken line\nodd:x:many:0::/:/bin/sh\napp:x:1000:100::/home/app:/bin/sh\n"
    "plain:x:7:7:::\n123:x:9:9::/nine:\n";
constexpr std::string_view kGroup =
    "root:x:0:\nbin:x:1:root,bin\nusers:x:100:app\nextra:x:44:bin,app\nodd:x:none:app\nshort\n";

TEST(Identity, IsLookedUpInTheImage) {
  const struct {
    std::string_view user;
    std::uint32_t uid, gid;
    std::vector<std::uint32_t> groups;
    std::string home;
  } table[] = {
      {"", 0, 0, {0, 1}, "/root"},
      {"root", 0, 0, {0, 1}, "/root"},
      {"0", 0, 0, {0, 1}, "/root"},
      {"app", 1000, 100, {100, 44}, "/home/app"},
      {"1000", 1000, 100, {100, 44}, "/home/app"},
      {"app:extra", 1000, 44, {}, "/home/app"},
      {"app:7", 1000, 7, {}, "/home/app"},
      {"4711", 4711, 0, {}, "/"},
      {"4711:users", 4711, 100, {}, "/"},
      {"plain", 7, 7, {7}, "/"},
      {":users", 0, 100, {}, "/root"},
      {"app:", 1000, 100, {100, 44}, "/home/app"},
  };
  for (const auto& each : table) {
    auto found = find_identity(each.user, kPasswd, kGroup);
    ASSERT_TRUE(found) << each.user << found.error().what;
    EXPECT_EQ(found->user, each.uid) << each.user;
    EXPECT_EQ(found->group, each.gid) << each.user;
    EXPECT_EQ(found->groups, each.groups) << each.user;
    EXPECT_EQ(found->home, each.home) << each.user;
  }
  EXPECT_TRUE(find_identity("", "", ""));
}

TEST(Identity, IsRefusedWhenTheImageDoesNotKnowIt) {
  for (const auto& [user, says] :
       {std::pair{"nobody", "the user \"nobody\", whom its /etc/passwd does not have"},
        std::pair{"odd", "the user \"odd\""}, std::pair{"4294967295", "the user"}, std::pair{"-1", "the user"},
        std::pair{"app:staff", "the group \"staff\", which"}, std::pair{"app:odd", "the group \"odd\""}}) {
    auto found = find_identity(user, kPasswd, kGroup);
    ASSERT_FALSE(found) << user;
    EXPECT_EQ(found.error().why, Why::invalid);
    EXPECT_THAT(found.error().what, HasSubstr(says));
  }
}

}  // namespace
}  // namespace nuclio::builder
