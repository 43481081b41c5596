// SPDX-License-Identifier: Apache-2.0
#include "k8s/cache.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace nuclio::k8s {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::IsEmpty;

json::object pod(const std::string& name, int version, const std::string& uid = "", const std::string& value = "") {
  return {{"metadata",
           {{"namespace", "media"},
            {"name", name},
            {"uid", uid.empty() ? "uid-" + name : uid},
            {"resourceVersion", std::to_string(version)},
            {"managedFields", json::array{"much"}}}},
          {"value", value}};
}

ObjectList list_of(int version, std::vector<json::object> items = {}) {
  return {std::to_string(version), std::move(items)};
}

std::string shown(const Object& object) {
  return object ? std::string(text_in(*object, "name")) + "@" + std::string(resource_version_of(*object)) : "-";
}

std::vector<std::string> shown(const Changes& changes) {
  std::vector<std::string> text;
  for (const Change& change : changes) text.push_back(shown(change.before) + " > " + shown(change.now));
  return text;
}

struct CacheTest : testing::Test {
  Changes list(ObjectList objects) {
    cache.list_begins();
    return cache.list(std::move(objects));
  }
  std::string known(const std::string& name) const { return shown(cache.find({"media", name})); }
  Cache cache{kPods, {}};
};

TEST_F(CacheTest, TellsWhatAListChanged) {
  EXPECT_THAT(shown(list(list_of(10, {pod("a", 1), pod("b", 2), pod("c", 3)}))),
              ElementsAre("- > a@1", "- > b@2", "- > c@3"));
  const Object before = cache.find({"media", "a"});
  EXPECT_THAT(shown(list(list_of(20, {pod("a", 1), pod("b", 15), pod("d", 16)}))),
              ElementsAre("b@2 > b@15", "- > d@16", "c@3 > -"));
  EXPECT_EQ(cache.find({"media", "a"}), before) << "what is as it was is the same object";
  EXPECT_EQ(cache.version(), "20");
}

TEST_F(CacheTest, ShowsWhoTrimsTheManagedFieldsThatItDrops) {
  cache =
      Cache{kPods, [](json::object& object) { object["managed"] = at(object, "metadata.managedFields") != nullptr; }};
  cache.changed(pod("a", 11));
  const Object kept = cache.find({"media", "a"});
  EXPECT_EQ(kept->at("managed"), true);
  EXPECT_EQ(at(*kept, "metadata.managedFields"), nullptr);
}

TEST_F(CacheTest, BelievesAListWithSmallerVersions) {
  list(list_of(1000, {pod("a", 900), pod("b", 950), pod("c", 990)}));
  EXPECT_THAT(shown(list(list_of(50, {pod("a", 40), pod("b", 950, "", "other")}))),
              ElementsAre("a@900 > a@40", "b@950 > b@950", "c@990 > -"));
  EXPECT_EQ(cache.version(), "50");
  EXPECT_THAT(shown(cache.changed(pod("a", 51))), ElementsAre("a@40 > a@51"));
  EXPECT_THAT(shown(list(list_of(1))), ElementsAre("a@51 > -", "b@950 > -"));
}

TEST_F(CacheTest, IsNotTakenBackByEventsThatAreSaidAgain) {
  list(list_of(10, {pod("a", 5)}));
  cache.changed(pod("a", 11));
  cache.changed(pod("b", 12));
  cache.deleted(pod("b", 13));
  cache.changed(pod("c", 14));
  EXPECT_THAT(shown(cache.changed(pod("a", 5))), IsEmpty());
  EXPECT_THAT(shown(cache.changed(pod("a", 11))), IsEmpty());
  EXPECT_THAT(shown(cache.changed(pod("b", 12))), IsEmpty()) << "it has gone since";
  EXPECT_THAT(shown(cache.deleted(pod("b", 13))), IsEmpty());
  EXPECT_EQ(known("a"), "a@11");
  EXPECT_EQ(known("b"), "-");
  EXPECT_EQ(cache.version(), "14");
}

TEST_F(CacheTest, TellsANewObjectByAnOldNameFromTheOldOne) {
  list(list_of(10, {pod("a", 5, "first")}));
  cache.deleted(pod("a", 11, "first"));
  EXPECT_THAT(shown(cache.changed(pod("a", 12, "second"))), ElementsAre("- > a@12"));
  EXPECT_THAT(shown(cache.deleted(pod("a", 11, "first"))), IsEmpty());
  EXPECT_EQ(known("a"), "a@12");
}

TEST_F(CacheTest, GoesOnFromABookmark) {
  list(list_of(10));
  cache.bookmark("30");
  EXPECT_EQ(cache.version(), "30");
  cache.bookmark("20");
  EXPECT_EQ(cache.version(), "30");
}

TEST_F(CacheTest, ReadsWhatWasPut) {
  list(list_of(10, {pod("a", 5)}));
  EXPECT_THAT(shown(cache.put(pod("a", 12))), ElementsAre("a@5 > a@12"));
  EXPECT_THAT(shown(cache.put(pod("a", 11))), IsEmpty()) << "it is older";
  EXPECT_THAT(shown(cache.changed(pod("a", 11))), IsEmpty()) << "the watch is not there yet";
  EXPECT_EQ(known("a"), "a@12");
  EXPECT_THAT(shown(cache.changed(pod("a", 12))), IsEmpty()) << "it says what we know";
  EXPECT_THAT(shown(cache.changed(pod("b", 20))), ElementsAre("- > b@20"));
  EXPECT_EQ(known("a"), "a@12");
}

TEST_F(CacheTest, ForgetsWhatWasPutWhenTheWatchPassesIt) {
  list(list_of(10));
  cache.put(pod("other-label", 12));
  EXPECT_THAT(shown(cache.changed(pod("b", 11))), ElementsAre("- > b@11"));
  EXPECT_EQ(known("other-label"), "other-label@12");
  EXPECT_THAT(shown(cache.bookmark("13")), ElementsAre("other-label@12 > -"));
}

TEST_F(CacheTest, DoesNotBringBackWhatTheWatchHasSeenGo) {
  list(list_of(10));
  cache.changed(pod("a", 11));
  cache.deleted(pod("a", 12));
  EXPECT_THAT(shown(cache.put(pod("a", 11))), IsEmpty());
}

TEST_F(CacheTest, KeepsWhatWasPutWhileAnOlderListWasOnItsWay) {
  list(list_of(10, {pod("a", 5)}));
  cache.list_begins();
  cache.put(pod("a", 12));
  cache.put(pod("b", 13));
  cache.put(pod("old", 11));
  EXPECT_THAT(shown(cache.list(list_of(11, {pod("a", 5)}))), ElementsAre("old@11 > -"));
  EXPECT_EQ(known("a"), "a@12");
  EXPECT_EQ(known("b"), "b@13");
  EXPECT_THAT(shown(cache.changed(pod("a", 12))), IsEmpty());
  EXPECT_THAT(shown(cache.bookmark("20")), ElementsAre("b@13 > -")) << "the watch never said it";
}

TEST_F(CacheTest, ForgetsWhatWasPutBeforeAListThatDoesNotHaveIt) {
  list(list_of(10));
  cache.put(pod("a", 1500));
  EXPECT_THAT(shown(list(list_of(900))), ElementsAre("a@1500 > -")) << "the store was put back";
}

TEST_F(CacheTest, ForgetsWhatHasGoneUnlessAnotherHasItsName) {
  list(list_of(10, {pod("a", 5, "first"), pod("b", 6)}));
  EXPECT_THAT(shown(cache.put_gone({"media", "a"}, "other")), IsEmpty());
  EXPECT_THAT(shown(cache.put_gone({"media", "a"}, "first")), ElementsAre("a@5 > -"));
  EXPECT_THAT(shown(cache.deleted(pod("a", 11, "first"))), IsEmpty());
  cache.list_begins();
  cache.put_gone({"media", "b"}, "uid-b");
  EXPECT_THAT(shown(cache.list(list_of(12, {pod("b", 6)}))), IsEmpty()) << "the list is older than the deletion";
  EXPECT_EQ(known("b"), "-");
}

TEST_F(CacheTest, KeepsOnlyWhatIsWanted) {
  Cache trimming{kPods, [](json::object& object) { object.erase("value"); }};
  trimming.list_begins();
  trimming.list(list_of(10, {pod("a", 5, "", "long")}));
  const Object kept = trimming.find({"media", "a"});
  ASSERT_TRUE(kept);
  EXPECT_EQ(json::value(*kept),
            json::parse(R"({"metadata":{"namespace":"media","name":"a","uid":"uid-a","resourceVersion":"5"},)"
                        R"("apiVersion":"v1","kind":"Pod"})"));
}

}  // namespace
}  // namespace nuclio::k8s
