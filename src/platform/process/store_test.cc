// SPDX-License-Identifier: Apache-2.0
#include "platform/process/store.h"

#include <gmock/gmock.h>

#include "base/test_folder.h"

namespace nuclio::platform::process {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StoredFunction function(const std::string& name) {
  StoredFunction out;
  out.config.metadata.name = name;
  out.config.metadata.namespace_name = "nuclio";
  out.config.spec.handler = "main:handler";
  out.config.spec.description = "\"quotes\" and \xC3\xBC";
  out.config.status.state = spec::FunctionState::ready;
  out.desired = Desired::stopped;
  out.latest = Revision{7};
  out.serving = Revision{5};
  out.port = 4242;
  return out;
}

FunctionId id(const std::string& name) { return {Namespace{"nuclio"}, FunctionName{name}}; }

class StoreTest : public ::testing::Test {
 protected:
  Store open() {
    auto store = Store::open(folder_.at("state.db"));
    EXPECT_TRUE(store) << store.error().what;
    return std::move(*store);
  }
  TestFolder folder_;
};

TEST_F(StoreTest, RemembersFunctions) {
  Store store = open();
  ASSERT_TRUE(store.save(function("a")));
  StoredFunction changed = function("a");
  changed.port = 1;
  ASSERT_TRUE(store.save(changed));
  ASSERT_TRUE(store.save(function("b")));
  ASSERT_TRUE(store.delete_function(id("b")));
  auto functions = store.functions();
  ASSERT_TRUE(functions);
  ASSERT_EQ(functions->size(), 1u);
  const StoredFunction& found = functions->front();
  EXPECT_EQ(found.config.spec.description, "\"quotes\" and \xC3\xBC");
  EXPECT_EQ(found.config.status.state, spec::FunctionState::ready);
  EXPECT_EQ(found.desired, Desired::stopped);
  EXPECT_EQ(found.latest, Revision{7});
  EXPECT_EQ(found.serving, Revision{5});
  EXPECT_EQ(found.port, 1);
}

TEST_F(StoreTest, LetsARevisionServeWithItsConfigOrNotAtAll) {
  Store store = open();
  StoredFunction next = function("a");
  // A revision is always one of a function that is known.
  EXPECT_FALSE(store.begin_serving(next, next.config));
  EXPECT_TRUE(store.ids()->empty());
  ASSERT_TRUE(store.save(next));
  next.serving = Revision{7};
  spec::FunctionConfig runs = next.config;
  runs.spec.description = "what runs";
  ASSERT_TRUE(store.begin_serving(next, runs));
  EXPECT_EQ(store.functions()->front().serving, Revision{7});
  EXPECT_EQ(store.revision(id("a"), Revision{7})->spec.description, "what runs");
  EXPECT_EQ(*store.ids(), std::vector{id("a")});
}

// What a crash leaves behind is the file as it is, with nobody to close it.
TEST_F(StoreTest, NeedsNobodyToCloseIt) {
  Store crashed = open();
  ASSERT_TRUE(crashed.save(function("a")));
  for (const char* file : {"state.db", "state.db-wal"})
    std::filesystem::copy_file(folder_.at(file), folder_.at("copy" + std::string(file).substr(5)));
  auto after = Store::open(folder_.at("copy.db"));
  ASSERT_TRUE(after) << after.error().what;
  auto functions = after->functions();
  ASSERT_TRUE(functions);
  EXPECT_EQ(functions->size(), 1u);
}

TEST_F(StoreTest, KeepsTheLastRevisionsAndTheOneThatServes) {
  const SystemTime noon{std::chrono::seconds{1'700'000'000}};
  Store store = open();
  StoredFunction next = function("a");
  next.serving = Revision{1};
  for (std::int64_t number = 1; number <= 12; ++number) {
    next.latest = Revision{number};
    next.config.spec.description = std::to_string(number);
    next.config.metadata.annotations["nuclio.io/deployed-by"] = number % 2 == 0 ? "ann" : "";
    ASSERT_TRUE(store.begin_revision(next, noon + std::chrono::seconds{number}));
    if (number == 1) ASSERT_TRUE(store.begin_serving(next, next.config));
  }
  ASSERT_TRUE(store.save(next));  // does not take the revisions with it
  auto revisions = store.revisions(id("a"));
  ASSERT_TRUE(revisions);
  std::vector<std::int64_t> numbers;
  for (const StoredRevision& each : *revisions) numbers.push_back(each.number.value());
  EXPECT_THAT(numbers, ElementsAre(12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 1));
  EXPECT_EQ(revisions->front().deployed, noon + std::chrono::seconds{12});
  EXPECT_EQ(revisions->front().deployed_by, "ann");
  EXPECT_FALSE(revisions->front().served);
  EXPECT_TRUE(revisions->back().served);
  EXPECT_EQ(revisions->back().deployed, noon + std::chrono::seconds{1});
  EXPECT_EQ(store.revision(id("a"), Revision{1})->spec.description, "1");
  EXPECT_EQ(store.revision(id("a"), Revision{12})->spec.description, "12");
  EXPECT_EQ(store.revision(id("a"), Revision{2}).error().why, Why::not_found);
  // Once another one serves, the first is not kept for that any more.
  next.serving = Revision{12};
  ASSERT_TRUE(store.begin_serving(next, next.config));
  EXPECT_EQ(store.revision(id("a"), Revision{1}).error().why, Why::not_found);
  ASSERT_TRUE(store.delete_function(id("a")));
  EXPECT_EQ(store.revision(id("a"), Revision{12}).error().why, Why::not_found);
  EXPECT_THAT(*store.revisions(id("a")), IsEmpty());
}

TEST_F(StoreTest, RemembersProjects) {
  spec::Project project;
  project.metadata.name = "media";
  project.metadata.namespace_name = "nuclio";
  project.spec.description = "pictures";
  {
    Store store = open();
    ASSERT_TRUE(store.save(project));
  }
  Store store = open();
  auto projects = store.projects();
  ASSERT_TRUE(projects);
  ASSERT_EQ(projects->size(), 1u);
  EXPECT_EQ(projects->front().spec.description, "pictures");
  ASSERT_TRUE(store.delete_project({Namespace{"nuclio"}, ProjectName{"media"}}));
  EXPECT_TRUE(store.projects()->empty());
}

spec::FunctionEvent event(const std::string& name, const std::string& of) {
  spec::FunctionEvent out;
  out.metadata.name = name;
  out.metadata.namespace_name = "nuclio";
  out.metadata.labels["nuclio.io/function-name"] = of;
  out.spec.body = "of " + of;
  return out;
}

std::vector<std::string> names(const Result<std::vector<spec::FunctionEvent>>& events) {
  EXPECT_TRUE(events) << events.error().what;
  std::vector<std::string> out;
  if (events)
    for (const spec::FunctionEvent& each : *events) out.push_back(each.metadata.name);
  return out;
}

TEST_F(StoreTest, RemembersEventsUntilTheirFunctionGoes) {
  const Namespace here{"nuclio"};
  Store store = open();
  ASSERT_TRUE(store.save(function("a")));
  for (const auto& each : {event("2", "a"), event("1", "a"), event("3", "b")}) ASSERT_TRUE(store.save(each));
  EXPECT_THAT(names(store.function_events(here, {})), ElementsAre("1", "2", "3"));
  EXPECT_THAT(names(store.function_events(here, FunctionName{"a"})), ElementsAre("1", "2"));
  EXPECT_THAT(names(store.function_events(Namespace{"elsewhere"}, {})), IsEmpty());
  ASSERT_TRUE(store.save(event("3", "c")));  // in place of b's
  EXPECT_EQ(store.function_event({here, FunctionEventName{"3"}})->spec.body, "of c");
  EXPECT_THAT(names(store.function_events(here, FunctionName{"b"})), IsEmpty());
  ASSERT_TRUE(store.delete_function_event({here, FunctionEventName{"1"}}));
  EXPECT_EQ(store.function_event({here, FunctionEventName{"1"}}).error().why, Why::not_found);
  ASSERT_TRUE(store.delete_function(id("a")));
  EXPECT_THAT(names(store.function_events(here, {})), ElementsAre("3"));
  EXPECT_EQ(store.save(event("4", "Not a name")).error().why, Why::invalid);
}

TEST_F(StoreTest, RemembersGatewaysByTheirNames) {
  Store store = open();
  spec::ApiGateway gateway;
  gateway.metadata.namespace_name = "nuclio";
  for (const char* name : {"b", "a", "b"}) {
    gateway.metadata.name = name;
    gateway.spec.host += name;
    ASSERT_TRUE(store.save(gateway));
  }
  auto kept = open().api_gateways(Namespace{"nuclio"});
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 2u);
  EXPECT_EQ(kept->back().spec.host, "bab");
  ASSERT_TRUE(store.delete_api_gateway({Namespace{"nuclio"}, ApiGatewayName{"b"}}));
  EXPECT_EQ(store.api_gateways(Namespace{"nuclio"})->size(), 1u);
  EXPECT_TRUE(store.api_gateways(Namespace{"elsewhere"})->empty());
}

TEST_F(StoreTest, BringsAFileOfAnOlderVersionUpToDate) {
  {
    Store newest = open();
    ASSERT_TRUE(newest.save(function("a")));
    ASSERT_TRUE(newest.begin_serving(function("a"), function("a").config));
    auto database = Database::open(folder_.at("state.db"));
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute("DROP TABLE function_events; DROP TABLE api_gateways; PRAGMA user_version = 1"));
    for (const char* column : {"deployed", "deployed_by", "served"})
      ASSERT_TRUE(database->execute(("ALTER TABLE revisions DROP COLUMN " + std::string(column)).c_str()));
  }
  Store store = open();
  EXPECT_EQ(*store.ids(), std::vector{id("a")});
  auto revisions = store.revisions(id("a"));
  ASSERT_TRUE(revisions);
  ASSERT_EQ(revisions->size(), 1u);
  EXPECT_TRUE(revisions->front().served);
  EXPECT_EQ(revisions->front().deployed, std::nullopt);
  ASSERT_TRUE(store.save(event("e", "a")));
  EXPECT_THAT(names(open().function_events(Namespace{"nuclio"}, {})), ElementsAre("e"));
}

TEST_F(StoreTest, SaysThatAFileIsFromANewerVersion) {
  open();
  auto database = Database::open(folder_.at("state.db"));
  ASSERT_TRUE(database);
  ASSERT_TRUE(database->execute("PRAGMA user_version = 99"));
  auto store = Store::open(folder_.at("state.db"));
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().what,
              HasSubstr("written by a newer version of this program (schema 99, this one knows 4)"));
}

TEST_F(StoreTest, SaysThatAFileIsDamaged) {
  folder_.write("state.db", std::string(8192, 'x'));
  auto store = Store::open(folder_.at("state.db"));
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().what, HasSubstr("state.db"));
  EXPECT_THAT(store.error().what, HasSubstr("move it away to begin with an empty one"));
}

TEST_F(StoreTest, UndoesATransactionThatIsNotCommitted) {
  auto database = Database::open(folder_.at("x.db"));
  ASSERT_TRUE(database);
  ASSERT_TRUE(database->execute("CREATE TABLE t (a TEXT)"));
  {
    auto transaction = Database::Transaction::begin(*database);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(database->execute("INSERT INTO t VALUES ('lost')"));
  }
  {
    auto transaction = Database::Transaction::begin(*database);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(database->execute("INSERT INTO t VALUES ('kept')"));
    ASSERT_TRUE(transaction->commit());
  }
  auto rows = database->prepare("SELECT group_concat(a) FROM t");
  ASSERT_TRUE(rows);
  ASSERT_TRUE(*rows->step());
  EXPECT_EQ(rows->text(0), "kept");
}

}  // namespace
}  // namespace nuclio::platform::process
