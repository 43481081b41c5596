// SPDX-License-Identifier: Apache-2.0
// Logging in to real registries, by password and by token.
#include <gmock/gmock.h>

#include "oci/registry.h"
#include "oci/test_registry.h"
#include "oci/test_tokens.h"

namespace nuclio::oci {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr std::chrono::seconds kSecond{1};

// Pushes and reads something; the error of what failed first.
Task<Result<void>> use(Registry& registry, std::string repository, Deadline deadline) {
  const std::string bytes = noise(2'500'000);
  CO_TRY_DO(co_await registry.preflight(Repository{repository}, deadline));
  auto pushed = co_await push_simple(registry, repository, "1", bytes, deadline);
  if (!pushed) co_return fail(std::move(pushed).error());
  CO_TRY_DO(co_await registry.manifest(Repository{repository}, Version{"1"}, deadline));
  CO_TRY(const std::string text,
         co_await registry.read_blob_text(Repository{repository}, blob_of(bytes), Bytes{4u << 20}, deadline));
  EXPECT_EQ(text, bytes);
  co_return Result<void>{};
}

class ByPassword : public testing::Test, protected TestBench {
 protected:
  // What preflight says, which it must within a second.
  std::string refusal(Registry& registry) {
    const auto begin = std::chrono::steady_clock::now();
    auto allowed = run(registry.preflight(Repository{"team/app"}, Deadline::in(std::chrono::seconds{10})));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, kSecond);
    if (allowed) return "";
    EXPECT_EQ(allowed.error().why, Why::forbidden);
    return allowed.error().what;
  }
  RealRegistry real_{loop, {.htpasswd = true}};
  Registry registry_{loop, client, keychain, real_.host(), plain_options()};
};

TEST_F(ByPassword, LetsTheRightOneIn) {
  keychain.add_login(real_.host(), {.user = "tester", .password = "open sesame", .source = "the flag --user"});
  auto used = run(use(registry_, "team/app", soon()));
  EXPECT_TRUE(used) << used.error().what;
  EXPECT_TRUE(run(registry_.ping(soon())));
}

TEST_F(ByPassword, SaysWhichLoginIsMissingAndHowToMakeIt) {
  EXPECT_EQ(refusal(registry_), "the registry " + real_.host() +
                                    " wants a login to push to team/app, and none was given; make one with `docker "
                                    "login " +
                                    real_.host() + "`, or name a secret that holds one");
  const TestFolder folder;
  ASSERT_TRUE(keychain.add_pull_secret("media/registry", R"({"auths":{"quay.io":{"auth":"YTpi"}}})"));
  ASSERT_TRUE(keychain.add_docker_config(folder.at("config.json")));
  Registry registry{loop, client, keychain, real_.host(), plain_options()};
  EXPECT_EQ(refusal(registry), "the registry " + real_.host() +
                                   " wants a login to push to team/app, and there is none for it in the secret "
                                   "media/registry and " +
                                   folder.at("config.json") + "; make one with `docker login " + real_.host() +
                                   "`, or name a secret that holds one");
}

TEST_F(ByPassword, SaysWhichLoginIsWrongAndNotWhatItIs) {
  const TestFolder folder;
  // tester:canary-8417
  ASSERT_TRUE(keychain.add_docker_config(
      folder.write("config.json", R"({"auths":{")" + real_.host() + R"(":{"auth":"dGVzdGVyOmNhbmFyeS04NDE3"}}})")));
  const std::string said = refusal(registry_);
  EXPECT_THAT(said, HasSubstr("the registry " + real_.host() + " does not let the user \"tester\" of " +
                              folder.at("config.json") + " push to team/app"));
  EXPECT_THAT(said, HasSubstr("log in anew with `docker login " + real_.host() + "`"));
  EXPECT_THAT(said, AllOf(Not(HasSubstr("canary")), Not(HasSubstr("dGVzdGVy"))));
}

class ByToken : public testing::Test, protected TestBench {
 protected:
  void know(const std::string& password) {
    keychain.add_login(real_.host(), {.user = "tester", .password = password, .source = "the secret media/registry"});
  }
  TestFolder folder_;
  TokenServer tokens_{loop, folder_};
  RealRegistry real_{loop, {.token_realm = tokens_.realm(), .token_certificate = tokens_.certificate()}};
  Registry registry_{loop, client, keychain, real_.host(), plain_options()};
};

TEST_F(ByToken, FetchesOneForEachScope) {
  know("open sesame");
  auto used = run(use(registry_, "team/app", soon()));
  ASSERT_TRUE(used) << used.error().what;
  ASSERT_THAT(tokens_.asked, SizeIs(1));  // what is good for pushing is good for pulling
  EXPECT_EQ(tokens_.asked[0], "service=test&scope=repository:team/app:pull%2Cpush");
  EXPECT_EQ(run(registry_.digest_of(Repository{"team/other"}, Version{"1"}, soon())), std::nullopt);
  ASSERT_THAT(tokens_.asked, SizeIs(2));
  EXPECT_EQ(tokens_.asked[1], "service=test&scope=repository:team/other:pull");
}

TEST_F(ByToken, MountsWithATokenForBothRepositories) {
  know("open sesame");
  const std::string bytes = noise(100);
  ASSERT_TRUE(run(registry_.upload_blob(Repository{"base"}, blob_of(bytes), bytes, soon())));
  EXPECT_EQ(run(registry_.mount_blob(Repository{"team/app"}, blob_of(bytes).digest, MountFrom{"base"}, soon())), true);
}

TEST_F(ByToken, ManyRequestsAtOnceFetchOne) {
  know("open sesame");
  ASSERT_TRUE(run(registry_.preflight(Repository{"team/app"}, soon())));
  tokens_.asked.clear();
  Group group{loop};
  int answered = 0;
  auto ask = [](Registry& registry, int& answered, Deadline deadline) -> Task<void> {
    auto found = co_await registry.manifest(Repository{"team/other"}, Version{"1"}, deadline);
    EXPECT_EQ(found.error().why, Why::not_found) << found.error().what;
    ++answered;
  };
  for (int i = 0; i < 10; ++i) group.spawn(ask(registry_, answered, soon()));
  auto all = [](Group& group) -> Task<bool> { co_return co_await group.empty(); };
  run(all(group));
  EXPECT_EQ(answered, 10);
  EXPECT_THAT(tokens_.asked, SizeIs(1));
}

TEST_F(ByToken, FetchesAnotherWhenOneHasExpired) {
  know("open sesame");
  tokens_.stale = 1;
  auto used = run(use(registry_, "team/app", soon()));
  EXPECT_TRUE(used) << used.error().what;
  EXPECT_THAT(tokens_.asked, SizeIs(2));
}

TEST_F(ByToken, GivesUpWhenEachHasExpired) {
  know("open sesame");
  tokens_.stale = 1000;
  auto used = run(use(registry_, "team/app", soon()));
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().why, Why::forbidden);
  EXPECT_THAT(tokens_.asked, SizeIs(2));
}

TEST_F(ByToken, FetchesAnotherBeforeOneExpires) {
  know("open sesame");
  tokens_.life_seconds = 1;
  ASSERT_TRUE(run(registry_.preflight(Repository{"team/app"}, soon())));
  auto sleep = [](Loop& loop) -> Task<bool> {
    co_await loop.sleep(std::chrono::milliseconds{800});
    co_return true;
  };
  run(sleep(loop));
  ASSERT_TRUE(run(registry_.preflight(Repository{"team/app"}, soon())));
  EXPECT_THAT(tokens_.asked, SizeIs(2));
}

TEST_F(ByToken, TriesAgainWhileTheTokenServerIsBusy) {
  know("open sesame");
  tokens_.busy = 2;
  auto used = run(registry_.preflight(Repository{"team/app"}, soon()));
  EXPECT_TRUE(used) << used.error().what;
}

TEST_F(ByToken, ExchangesAnIdentityToken) {
  keychain.add_login(real_.host(), {.identity_token = "refresh me", .source = "docker-credential-test"});
  auto used = run(use(registry_, "team/app", soon()));
  EXPECT_TRUE(used) << used.error().what;
  EXPECT_THAT(tokens_.asked[0], HasSubstr("grant_type=refresh_token"));
}

TEST_F(ByToken, SaysWhoMayNotPushWhere) {
  know("open sesame");
  const auto begin = std::chrono::steady_clock::now();
  auto used = run(registry_.preflight(Repository{"closed"}, soon()));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kSecond);
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().why, Why::forbidden);
  EXPECT_EQ(
      used.error().what,
      "the registry " + real_.host() +
          " does not let the user \"tester\" of the secret media/registry push to closed (it says: authentication "
          "required); log in anew with `docker login " +
          real_.host() + "`, or ask whoever runs it for access");
}

TEST_F(ByToken, SaysWhichLoginIsMissing) {
  auto pulled = run(registry_.manifest(Repository{"public"}, Version{"1"}, soon()));
  EXPECT_EQ(pulled.error().why, Why::not_found) << pulled.error().what;  // no login is needed for that
  auto pushed = run(registry_.preflight(Repository{"public"}, soon()));
  ASSERT_FALSE(pushed);
  EXPECT_EQ(
      pushed.error().what,
      "the registry " + real_.host() +
          " wants a login to push to public (it says: authentication required), and none was given; make one with "
          "`docker login " +
          real_.host() + "`, or name a secret that holds one");
}

TEST_F(ByToken, SaysWhichLoginIsWrongAndNotWhatItIs) {
  know("canary-8417");
  auto pushed = run(registry_.preflight(Repository{"team/app"}, soon()));
  ASSERT_FALSE(pushed);
  EXPECT_THAT(pushed.error().what, HasSubstr("does not let the user \"tester\" of the secret media/registry push to"));
  EXPECT_THAT(pushed.error().what, Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace nuclio::oci
