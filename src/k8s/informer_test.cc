// SPDX-License-Identifier: Apache-2.0
#include "k8s/informer.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "k8s/test_api_server.h"

namespace nuclio::k8s {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string shown(const Object& object) { return object ? std::string(text_in(*object, "name")) : "-"; }

struct InformerTest : testing::Test {
  InformerTest() {
    server.set(kPods, {"media", "a"});
    server.set(kPods, {"media", "b"});
  }
  static InformerOptions pods() {
    InformerOptions options{.resource = kPods};
    options.times = {.first_pause = 1ms, .longest_pause = 20ms};
    return options;
  }
  std::unique_ptr<Informer> follow(InformerOptions options = pods()) {
    auto informer = std::make_unique<Informer>(
        api.loop(), api.api, std::move(options),
        [this](const Object& before, const Object& now) { changes.push_back(shown(before) + " > " + shown(now)); });
    informer->start();
    return informer;
  }
  // Once all were seen, and a watch has begun.
  std::unique_ptr<Informer> followed(InformerOptions options = pods()) {
    const std::size_t before = server.feeds.size();
    auto informer = follow(std::move(options));
    api.until([&] { return informer->synced() && server.feeds.size() > before && informer->health(); });
    return informer;
  }
  Feed& watch() { return *server.feeds.back(); }
  std::vector<std::string> names(const Informer& informer) {
    std::vector<std::string> names;
    for (const Object& object : informer.all()) names.push_back(shown(object));
    return names;
  }
  std::string version(const Informer& informer, const std::string& name) {
    const Object object = informer.find({"media", name});
    return object ? std::string(resource_version_of(*object)) : "";
  }

  TestApi api;
  TestApiServer& server = api.server;
  std::vector<std::string> changes;
};

TEST_F(InformerTest, KnowsWhatIsThereAndWhatChanges) {
  auto informer = follow();
  EXPECT_FALSE(informer->synced());
  EXPECT_FALSE(informer->health());
  auto synced = api.run(informer->wait_synced(api.soon()));
  ASSERT_TRUE(synced) << synced.error().what;
  EXPECT_THAT(names(*informer), ElementsAre("a", "b"));
  EXPECT_THAT(changes, ElementsAre("- > a", "- > b"));
  api.until([&] { return informer->health() && !server.feeds.empty(); });
  EXPECT_THAT(watch().asked, testing::AllOf(HasSubstr("resourceVersion=102"), HasSubstr("allowWatchBookmarks=true"),
                                            testing::ContainsRegex("timeoutSeconds=[345][0-9][0-9]")));
  server.set(kPods, {"media", "a"});
  server.set(kPods, {"other", "c"});
  server.erase(kPods, {"media", "b"});
  api.until([&] { return changes.size() == 5; });
  EXPECT_THAT(changes, ElementsAre("- > a", "- > b", "a > a", "- > c", "b > -"));
  EXPECT_THAT(names(*informer), ElementsAre("a", "c"));
  EXPECT_EQ(version(*informer, "a"), "103");
  EXPECT_EQ(server.lists(), 1u);
}

TEST_F(InformerTest, FindsThoseWhoseNameBeginsAlike) {
  for (const char* name : {"f-", "f-1", "f-10", "f-2", "f", "f.1", "g-1"}) server.set(kPods, {"media", name});
  server.set(kPods, {"medial", "f-3"});
  auto informer = followed();
  std::vector<std::string> found;
  for (const Object& object : informer->with_prefix({"media", "f-"})) found.push_back(shown(object));
  EXPECT_THAT(found, ElementsAre("f-", "f-1", "f-10", "f-2"));
  EXPECT_THAT(informer->with_prefix({"none", "f-"}), IsEmpty());
  EXPECT_THAT(informer->with_prefix({"medial", "g"}), IsEmpty());
}

TEST_F(InformerTest, ListsAndWatchesWhatIsSelectedOnly) {
  InformerOptions options = pods();
  options.namespace_name = "media";
  options.label_selector = "app=x,tier in (a, b)";
  auto informer = followed(std::move(options));
  for (const Asked& asked : server.asked) {
    EXPECT_THAT(asked.target, HasSubstr("/api/v1/namespaces/media/pods?"));
    EXPECT_THAT(asked.target, HasSubstr("labelSelector=app%3Dx%2Ctier%20in%20%28a%2C%20b%29"));
  }
  EXPECT_EQ(server.asked.size(), 2u);
}

TEST_F(InformerTest, BeginsAnewWhenTheServerHasForgottenWhereItWas) {
  auto informer = followed();
  server.watches_speak = false;
  server.set(kPods, {"media", "c"});
  server.stored[path_of(kPods, "")].erase({"media", "a"});
  watch().say(R"({"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}})"
              "\n");
  api.until([&] { return server.feeds.size() == 2; });
  EXPECT_THAT(names(*informer), ElementsAre("b", "c"));
  EXPECT_TRUE(informer->health()) << "nothing to worry about";
  EXPECT_THAT(changes, ElementsAre("- > a", "- > b", "- > c", "a > -"));
}

TEST_F(InformerTest, BeginsAnewAfterWhatIsNoEvent) {
  auto informer = followed();
  std::size_t watches = 1;
  for (const char* text : {"{\"type\":\n", "<html>\n", "{\"type\":\"ADDED\",\"object\":{}}\n",
                           "{\"type\":\"ERROR\",\"object\":{\"code\":500,\"message\":\"etcd\"}}\n"}) {
    watch().say(text);
    ++watches;
    api.until([&] { return server.feeds.size() == watches && informer->health(); });
    EXPECT_EQ(server.lists(), watches);
  }
  server.set(kPods, {"media", "c"});
  api.until([&] { return informer->size() == 3; });
}

TEST_F(InformerTest, BeginsAnewWhenNothingIsHeardForTooLong) {
  InformerOptions options = pods();
  options.times.longest_silence = 300ms;
  auto informer = followed(std::move(options));
  server.watches_speak = false;
  server.set(kPods, {"media", "c"});
  api.until([&] { return server.feeds.size() == 2 && informer->health(); });
  EXPECT_THAT(names(*informer), ElementsAre("a", "b", "c"));
}

TEST_F(InformerTest, TakesNoLineWithoutAnEnd) {
  auto informer = followed();
  Feed& endless = watch();
  for (int i = 0; i < 17; ++i) endless.say(std::string(1 << 20, 'x'));
  api.until([&] { return server.feeds.size() == 2; });
  EXPECT_EQ(names(*informer).size(), 2u);
}

TEST_F(InformerTest, SurvivesAConnectionThatIsCutWithinALine) {
  auto informer = followed();
  server.watches_speak = false;
  const std::string line = TestApiServer::line("ADDED", server.set(kPods, {"media", "c"}));
  watch().say(line.substr(0, line.size() / 2));
  api.until([&] { return watch().waiting.empty(); });
  watch().cut();
  api.until([&] { return server.feeds.size() == 2 && informer->health(); });
  EXPECT_THAT(names(*informer), ElementsAre("a", "b", "c"));
}

TEST_F(InformerTest, IsNotTakenBackByAWatchThatSaysThingsTwice) {
  auto informer = followed();
  const json::object old = server.set(kPods, {"media", "a"});
  server.set(kPods, {"media", "a"});
  server.erase(kPods, {"media", "b"});
  api.until([&] { return informer->size() == 1; });
  changes.clear();
  watch().say(TestApiServer::line("MODIFIED", old));
  watch().say(TestApiServer::line("ADDED", parsed(R"({"metadata":{"namespace":"media","name":"b","uid":"uid-102",
    "resourceVersion":"102"}})")));
  watch().say(TestApiServer::line("DELETED", old));
  server.set(kPods, {"media", "z"});
  api.until([&] { return informer->size() == 2; });
  EXPECT_THAT(changes, ElementsAre("- > z"));
  EXPECT_EQ(version(*informer, "a"), "104");
}

TEST_F(InformerTest, BelievesAStoreThatWasPutBack) {
  server.revision = 5000;
  server.set(kPods, {"media", "a"});
  server.set(kPods, {"media", "new"});
  auto informer = followed();
  // Another store: an older state of one object, none of the others, and versions that begin anew.
  server.stored.clear();
  server.revision = 7;
  server.set(kPods, {"media", "a"});
  changes.clear();
  watch().end();
  api.until([&] { return server.feeds.size() == 2 && informer->health(); });
  EXPECT_THAT(names(*informer), ElementsAre("a"));
  EXPECT_EQ(version(*informer, "a"), "8");
  EXPECT_THAT(changes, ElementsAre("a > a", "b > -", "new > -"));
  EXPECT_THAT(watch().asked, HasSubstr("resourceVersion=8&"));
  server.set(kPods, {"media", "a"});
  api.until([&] { return version(*informer, "a") == "9"; });
}

TEST_F(InformerTest, GoesOnFromABookmarkWhenAWatchEndsAsPlanned) {
  InformerOptions options = pods();
  options.times.shortest_watch = std::chrono::seconds{0};
  auto informer = followed(std::move(options));
  watch().say(R"({"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"170"}}})"
              "\n");
  api.until([&] { return watch().waiting.empty(); });
  watch().end();
  api.until([&] { return server.feeds.size() == 2; });
  EXPECT_THAT(watch().asked, HasSubstr("resourceVersion=170&"));
  EXPECT_EQ(server.lists(), 1u);
}

TEST_F(InformerTest, GivesUpAWatchThatTheServerDoesNotEnd) {
  InformerOptions options = pods();
  options.times.shortest_watch = std::chrono::seconds{0};
  options.times.grace = 30ms;
  auto informer = followed(std::move(options));
  server.watches_speak = false;  // the connection is dead, and nobody says so
  server.set(kPods, {"media", "c"});
  api.until([&] { return informer->size() == 3; });
  EXPECT_GE(server.lists(), 2u);
}

TEST_F(InformerTest, WaitsOutAServerThatIsBusyOrGone) {
  int refused = 0;
  server.instead = [&](const Asked&) -> std::optional<http::Response> {
    if (++refused > 12) return {};
    return http::Response::json(refused % 3 == 0 ? 429 : 503, TestApiServer::status(503, "not now"));
  };
  auto informer = follow();
  api.until([&] { return refused > 3; });
  ASSERT_FALSE(informer->health());
  EXPECT_THAT(informer->health().error().what, HasSubstr("not now"));
  const auto early = api.run(informer->wait_synced(Deadline::in(1ms)));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().why, Why::timeout);
  EXPECT_THAT(early.error().what, HasSubstr("pods were not seen in time: GET pods: not now"));
  api.until([&] { return informer->synced() && informer->health(); });
}

TEST_F(InformerTest, SaysAtOnceThatItHasNoRightsOrThatThereIsNoSuchKind) {
  for (const auto& [status, why] : {std::pair{403, Why::forbidden}, std::pair{404, Why::not_found}}) {
    server.instead = [status = status](const Asked&) {
      return std::optional(http::Response::json(status, TestApiServer::status(status, "no")));
    };
    auto informer = follow();
    const auto synced = api.run(informer->wait_synced(api.soon()));
    ASSERT_FALSE(synced);
    EXPECT_EQ(synced.error().why, why);
    server.instead = nullptr;  // rights are given, the kind is made
    api.until([&] { return informer->synced(); });
  }
}

TEST_F(InformerTest, ReadsWhatItWroteAndTellsItInOrder) {
  auto informer = followed();
  changes.clear();
  server.watches_speak = false;
  json::object written = server.set(kPods, {"media", "a"});
  informer->put(written);
  EXPECT_EQ(version(*informer, "a"), "103");
  EXPECT_THAT(changes, IsEmpty()) << "not from within a call";
  api.until([&] { return !changes.empty(); });
  EXPECT_THAT(changes, ElementsAre("a > a"));
  watch().say(TestApiServer::line("MODIFIED", written));
  server.watches_speak = true;
  server.set(kPods, {"media", "c"});
  informer->put_gone({"media", "b"}, "uid-102");
  api.until([&] { return changes.size() == 3; });
  EXPECT_THAT(changes, testing::UnorderedElementsAre("a > a", "- > c", "b > -"));
}

Task<void> count_news(Informer& informer, int& news) {
  for (;;) {
    (void)co_await informer.changed().wait();
    ++news;
  }
}

TEST_F(InformerTest, WakesThoseWhoWaitForNews) {
  auto informer = followed();
  int news = 0;
  Group waiting{api.loop()};
  waiting.spawn(count_news(*informer, news));
  server.set(kPods, {"media", "a"});
  api.until([&] { return news == 1; });
}

TEST_F(InformerTest, ManyWatchesDoNotKeepCallsWaiting) {
  std::vector<std::unique_ptr<Informer>> informers;
  for (int i = 0; i < 100; ++i) informers.push_back(followed());
  const auto pod = api.run(api.api.get(kPods, {"media", "a"}, api.soon()));
  EXPECT_TRUE(pod) << pod.error().what;
  EXPECT_EQ(std::ranges::count_if(server.feeds, [](const auto& feed) { return feed->ended == Feed::Ended::no; }), 100);
  server.set(kPods, {"media", "c"});
  api.until([&] { return std::ranges::all_of(informers, [](const auto& each) { return each->size() == 3; }); });
}

}  // namespace
}  // namespace nuclio::k8s
