// SPDX-License-Identifier: Apache-2.0
#include "dashboard/auth/token.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/test_folder.h"
#include "loop/run.h"

namespace nuclio::dashboard {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

Token lasting(std::chrono::seconds lifetime, TokenKind kind = TokenKind::token) {
  return {.kind = kind,
          .name = "ci",
          .grants = {Grant{Role::viewer, "shop"}},
          .created = wall_now(),
          .expires = wall_now() + lifetime};
}

TEST(Tokens, AreProvedByTheirTextAlone) {
  const NewToken token = made(lasting(1h));
  const NewToken other = made(lasting(1h));
  EXPECT_EQ(token_id(token.text), token.token.id);
  EXPECT_TRUE(proves(token.text, token.token));
  EXPECT_FALSE(proves(other.text, token.token));
  std::string changed = token.text;
  changed.back() = changed.back() == 'a' ? 'b' : 'a';
  EXPECT_FALSE(proves(changed, token.token));
  EXPECT_FALSE(proves(token.token.hash, token.token));
  for (const char* text : {"", "nuc_", "nuc_../../../x_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                           "xxx_aaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
    EXPECT_EQ(token_id(text), "") << text;
}

TEST(Tokens, ComeBackAsTheyWereKept) {
  Token token = made(lasting(1h, TokenKind::session)).token;
  token.owner = "ada";
  token.groups = {"a", "b"};
  token.known_by = Credential::oidc;
  token.extra = {{"scopes", "x"}};
  token.made_by = "abcdefghij";
  const auto back = Token::from_json(token.to_json());
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(back->to_json(), token.to_json());
  for (const char* missing : {"id", "hash", "knownBy", "grants", "expires"}) {
    boost::json::object broken = token.to_json();
    broken.erase(missing);
    EXPECT_FALSE(Token::from_json(broken)) << missing;
  }
}

class TokenFolders : public ::testing::Test {
 protected:
  template <class T>
  T run(Task<T> task) {
    return run_until_done(loop_, std::move(task));
  }
  Loop loop_;
  TestFolder folder_;
  TokenFolder tokens_{folder_.path() + "/tokens"};
};

TEST_F(TokenFolders, KeepNoSecretAndForgetWhatIsRemoved) {
  const NewToken token = made(lasting(1h));
  ASSERT_TRUE(run(tokens_.add(token.token)));
  std::ifstream file(folder_.path() + "/tokens/" + token.token.id + ".json");
  const std::string kept{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(kept, HasSubstr(token.token.hash));
  EXPECT_THAT(kept, Not(HasSubstr(token.text.substr(15))));
  EXPECT_TRUE(*run(tokens_.find(token.token.id)));
  EXPECT_FALSE(*run(tokens_.find("../../etc/p")));
  ASSERT_TRUE(run(tokens_.remove(token.token.id)));
  ASSERT_TRUE(run(tokens_.remove(token.token.id))) << "again";
  EXPECT_FALSE(*run(tokens_.find(token.token.id)));
}

TEST_F(TokenFolders, ForgetThoseThatHaveExpiredAndTakeNoDamagedOne) {
  const NewToken old = made(lasting(-1s));
  ASSERT_TRUE(run(tokens_.add(old.token)));
  std::ofstream(folder_.path() + "/tokens/aaaaaaaaaa.json") << "{";
  EXPECT_FALSE(run(tokens_.find("aaaaaaaaaa")));
  const NewToken young = made(lasting(1h));
  ASSERT_TRUE(run(tokens_.add(young.token)));
  const auto all = run(tokens_.all());
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ((*all)[0].id, young.token.id);
}

TEST(ToForget, IsTheOldestSessionButNoToken) {
  std::vector<Token> all;
  for (std::size_t i = 0; i < kMostTokens; ++i) {
    all.push_back(made(lasting(1h, TokenKind::session)).token);
    all.back().created += std::chrono::seconds{i == 7 ? -10 : 0};
  }
  EXPECT_EQ(*to_forget(all, TokenKind::session, wall_now()), std::vector{all[7].id});
  EXPECT_TRUE(to_forget(all, TokenKind::token, wall_now())->empty());
  for (Token& each : all) each.kind = TokenKind::token;
  EXPECT_EQ(to_forget(all, TokenKind::token, wall_now()).error().why, Why::too_large);
}

TEST(Lifetimes, AreDaysOrWhatGoWrites) {
  EXPECT_EQ(*parse_lifetime("90d"), 90 * 24h);
  EXPECT_EQ(*parse_lifetime("12h"), 12h);
  for (const char* text : {"", "d", "-1d", "90", "0d", "1s", "4000d", "1dd", "99999999999d"})
    EXPECT_FALSE(parse_lifetime(text)) << text;
}

}  // namespace
}  // namespace nuclio::dashboard
