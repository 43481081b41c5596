// SPDX-License-Identifier: Apache-2.0
#include "dashboard/events/hub.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "dashboard/fake_platform.h"
#include "loop/run.h"

namespace nuclio::dashboard {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace json = boost::json;

const platform::FunctionId kF{Namespace{"nuclio"}, FunctionName{"f"}};

// Lets nobody see the project "secret".
class Discreet final : public Authorizer {
 public:
  Task<Result<std::vector<bool>>> allows(const Caller&, Action, std::vector<Resource> resources) override {
    asked += resources.size();
    std::vector<bool> out;
    for (const Resource& each : resources) out.push_back(each.project != "secret");
    co_return out;
  }
  std::size_t asked = 0;
};

class EventHubTest : public ::testing::Test {
 protected:
  EventHubTest() {
    limits_.gather = 1ms;
    limits_.heartbeat = 20ms;
    limits_.queue = Bytes{64 << 10};
    limits_.streams = 3;
    add("f", "default");
    spec::Project project;
    project.metadata.name = "default";
    project.metadata.namespace_name = "nuclio";
    platform_.known_projects["default"] = project;
  }
  void add(const std::string& name, const std::string& project) {
    spec::FunctionConfig config;
    config.metadata.name = name;
    config.metadata.namespace_name = "nuclio";
    config.metadata.labels["nuclio.io/project-name"] = project;
    config.spec.build.function_source_code = "c2VjcmV0";
    config.status.state = spec::FunctionState::ready;
    platform_.known[name] = config;
  }
  std::unique_ptr<http::BodySource> open(EventFilter filter = {Namespace{"nuclio"}}, Caller caller = {.name = "ann"}) {
    auto stream = hub().open(std::move(filter), Sight{authorizer_, std::move(caller)});
    EXPECT_TRUE(stream) << stream.error().what;
    return stream ? std::move(*stream) : nullptr;
  }
  EventHub& hub() {
    if (!hub_) hub_.emplace(loop_, platform_, limits_);
    return *hub_;
  }
  // What the stream says until it has nothing to say.
  std::string read(http::BodySource& stream) {
    std::string out;
    for (;;) {
      auto piece = run_until_done(loop_, stream.next());
      if (!piece) return out + "error: " + piece.error().what;
      if (!*piece) return out + "the end";
      if (**piece == ":\n\n") return out;
      out += **piece;
    }
  }
  // The names of events, with whom they are about.
  static std::vector<std::string> events(const std::string& text) {
    std::vector<std::string> out;
    std::size_t at = 0;
    while ((at = text.find("event: ", at)) != std::string::npos) {
      const std::size_t end = text.find('\n', at);
      std::string line = text.substr(at + 7, end - at - 7);
      const std::size_t data = end + 7;
      const json::value value = json::parse(text.substr(data, text.find('\n', data) - data));
      const json::object& object = value.get_object();
      if (object.contains("metadata")) line += " " + std::string(object.at("metadata").at("name").get_string());
      if (object.contains("name")) line += " " + std::string(object.at("name").get_string());
      out.push_back(line);
      at = data;
    }
    return out;
  }
  void change(const std::string& state_of, spec::FunctionState state) {
    platform_.known[state_of].status.state = state;
    hub().function_changed({Namespace{"nuclio"}, FunctionName{state_of}});
  }

  Loop loop_;
  FakePlatform platform_;
  Discreet authorizer_;
  EventLimits limits_;
  std::optional<EventHub> hub_;
};

TEST_F(EventHubTest, SaysHowEverythingIsAndThenWhatChanges) {
  auto stream = open();
  const std::string first = read(*stream);
  EXPECT_THAT(events(first), ElementsAre("snapshot", "project default", "function f", "synced"));
  EXPECT_THAT(first, ::testing::Not(HasSubstr("c2VjcmV0"))) << "its code";
  change("f", spec::FunctionState::unhealthy);
  hub().function_changed(kF);
  EXPECT_THAT(events(read(*stream)), ElementsAre("function f"));
  hub().function_changed(kF);
  EXPECT_THAT(events(read(*stream)), IsEmpty()) << "nothing of it has changed";
  platform_.known.erase("f");
  hub().function_changed(kF);
  platform_.known_projects.clear();
  hub().project_changed({Namespace{"nuclio"}, ProjectName{"default"}});
  EXPECT_THAT(events(read(*stream)), ElementsAre("project-gone default", "function-gone f"));
  // Whoever comes now finds it so.
  EXPECT_THAT(events(read(*open())), ElementsAre("snapshot", "synced"));
}

TEST_F(EventHubTest, TellsTheLinesOfABuild) {
  auto stream = open();
  read(*stream);
  auto& logs = platform_.known["f"].status.logs;
  const auto log = [&](const char* message) {
    logs.push_back(json::object{{"message", message}});
    hub().build_logged(kF, logs.back());
  };
  platform_.known["f"].status.state = spec::FunctionState::building;
  log("one");
  log("two");
  std::string said = read(*stream);
  EXPECT_THAT(events(said), ElementsAre("build f", "function f"));
  EXPECT_THAT(said, HasSubstr(R"("begin":true,"lines":[{"message":"one"},{"message":"two"}])"));
  log("three");
  EXPECT_THAT(read(*stream), HasSubstr(R"("begin":false,"lines":[{"message":"three"}])"));
  // Who comes in between gets them all.
  EXPECT_THAT(read(*open()),
              HasSubstr(R"("begin":true,"lines":[{"message":"one"},{"message":"two"},{"message":"three"}])"));
  change("f", spec::FunctionState::ready);
  read(*stream);
  // One that is over before anybody has looked.
  logs.clear();
  log("quick");
  EXPECT_THAT(read(*stream), HasSubstr(R"("begin":true,"lines":[{"message":"quick"}])"));
}

TEST_F(EventHubTest, TellsNobodyWhatTheyMayNotSee) {
  add("hidden", "secret");
  auto stream = open();
  EXPECT_THAT(events(read(*stream)), ElementsAre("snapshot", "project default", "function f", "synced"));
  change("hidden", spec::FunctionState::error);
  change("f", spec::FunctionState::error);
  EXPECT_THAT(events(read(*stream)), ElementsAre("function f"));
  EXPECT_EQ(authorizer_.asked, 3u) << "once for each project and kind";
  // One that is moved to where it cannot be seen has gone.
  platform_.known["f"].metadata.labels["nuclio.io/project-name"] = "secret";
  hub().function_changed(kF);
  EXPECT_THAT(events(read(*stream)), ElementsAre("function-gone f"));
}

TEST_F(EventHubTest, TellsOfAProjectAlone) {
  add("g", "other");
  auto stream = open({.name_space = Namespace{"nuclio"}, .project = ProjectName{"other"}});
  EXPECT_THAT(events(read(*stream)), ElementsAre("snapshot", "function g", "synced"));
  change("f", spec::FunctionState::error);
  change("g", spec::FunctionState::error);
  EXPECT_THAT(events(read(*stream)), ElementsAre("function g"));
}

TEST_F(EventHubTest, TellsWhatFunctionsLogToThoseWhoAsked) {
  auto without = open();
  auto with = open({.name_space = Namespace{"nuclio"}, .logs = {"f"}});
  EXPECT_THAT(read(*with), HasSubstr(R"("replica":"f-1","lines":["one"]})"));
  auto later = open({.name_space = Namespace{"nuclio"}, .logs = {"f"}});
  EXPECT_THAT(read(*later), HasSubstr(R"("lines":["one"]})"));
  EXPECT_THAT(events(read(*without)), ElementsAre("snapshot", "project default", "function f", "synced"));
  EventFilter many{.name_space = Namespace{"nuclio"}};
  for (int i = 0; i < 9; ++i) many.logs.insert("f" + std::to_string(i));
  without.reset();
  EXPECT_EQ(hub().open(many, Sight{authorizer_, Caller{}}).error().why, Why::invalid);
}

TEST_F(EventHubTest, TellsHowFunctionsFareWhenThatChanges) {
  auto stream = open({.name_space = Namespace{"nuclio"}, .metrics = {"*"}});
  read(*stream);
  Point point;
  point.known = true;
  point.succeeded = 20;
  point.replicas = 1;
  hub().collected({{kF, point}});
  EXPECT_THAT(read(*stream), HasSubstr(R"("ratePerSecond":2E0)"));
  hub().collected({{kF, point}});
  EXPECT_THAT(read(*stream), "");
  EXPECT_THAT(events(read(*open({.name_space = Namespace{"nuclio"}, .metrics = {"f"}}))),
              ElementsAre("snapshot", "project default", "function f", "metrics f", "synced"));
  hub().collected({});
  EXPECT_THAT(read(*stream), HasSubstr(R"("replicas":0)"));
}

TEST_F(EventHubTest, CutsAClientThatIsTooSlowAndHoldsUpNobodyElse) {
  auto slow = open();
  auto quick = open();
  read(*slow);
  read(*quick);
  platform_.known["f"].spec.description = std::string(40'000, 'x');
  hub().function_changed(kF);
  EXPECT_THAT(events(read(*quick)), ElementsAre("function f"));
  platform_.known["f"].spec.description = std::string(40'000, 'y');
  hub().function_changed(kF);
  EXPECT_THAT(events(read(*quick)), ElementsAre("function f"));
  EXPECT_EQ(read(*slow), "error: the client is too slow for the events that it asked for");
}

TEST_F(EventHubTest, EndsWhenTheLoginExpires) {
  Caller caller{.name = "ann"};
  caller.expires = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) + 1s;
  auto stream = open({.name_space = Namespace{"nuclio"}}, caller);
  std::string said;
  const auto began = std::chrono::steady_clock::now();
  while (!said.ends_with("the end") && std::chrono::steady_clock::now() - began < 5s) said += read(*stream);
  EXPECT_THAT(said, HasSubstr("event: end\ndata: {\"reason\":\"your login has expired\"}\n\nthe end"));
}

TEST_F(EventHubTest, TakesSoManyStreamsAndNoMore) {
  auto one = open(), two = open(), three = open();
  auto more = hub().open({Namespace{"nuclio"}}, Sight{authorizer_, Caller{}});
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().why, Why::busy);
  EXPECT_THAT(more.error().what, HasSubstr("there are 3 streams"));
  one.reset();
  EXPECT_TRUE(hub().open({Namespace{"nuclio"}}, Sight{authorizer_, Caller{}}));
  hub().close();
  read(*two);
  EXPECT_THAT(read(*two), HasSubstr("the end"));
}

}  // namespace
}  // namespace nuclio::dashboard
