// SPDX-License-Identifier: Apache-2.0
#include "platform/process/process_platform.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <set>

#include "loop/listener.h"
#include "platform/process/process_platform_fixture.h"
#include "spec/load.h"

namespace nuclio::platform::process {

std::string log_keeper_program() { return NUCLIO_LOG_KEEPER; }

namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using namespace std::chrono_literals;
namespace json = boost::json;
using spec::FunctionState;

TEST_F(ProcessPlatformTest, DeploysAFunction) {
  auto given = tale("f", "once", {{"env", json::array{json::object{{"name", "GREETING"}, {"value", "hello"}}}}});
  ASSERT_TRUE(deploy(given));
  EXPECT_EQ(status().state, FunctionState::building);
  auto outcome = settled("f");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(status().state, FunctionState::ready);
  EXPECT_TRUE(accepts(status().http_port));
  EXPECT_EQ(status().external_invocation_urls.at(0), "127.0.0.1:" + std::to_string(status().http_port));
  EXPECT_THAT(status().logs.at(0).at("message").as_string().c_str(), StartsWith("Reading main.tale"));
  ASSERT_THAT(replicas(), SizeIs(1));
  EXPECT_THAT(replicas()[0].value(), StartsWith("f-"));
  EXPECT_TRUE(eventually([&] { return log_of(replicas()[0]) == "the tale is once, hello\n"; }));
  auto config = *platform_->function(id("f"));
  EXPECT_EQ(config.metadata.resource_version, "1");
  EXPECT_EQ(config.metadata.labels.at("nuclio.io/project-name"), "default");
  EXPECT_THAT(folder_.read("home/functions/nuclio/f/1/processor.yaml"), HasSubstr("main:tell"));
}

TEST_F(ProcessPlatformTest, ReplacesARevisionWithoutChangingItsAddress) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  int port = status().http_port;
  ReplicaName old = replicas()[0];
  ASSERT_TRUE(deploy_and_wait(tale("f", "two")));
  EXPECT_EQ(status().http_port, port);
  ASSERT_THAT(replicas(), SizeIs(1));
  EXPECT_NE(replicas()[0], old);
  EXPECT_TRUE(eventually([&] { return log_of(old).find("drained\n") != std::string::npos; }));
  EXPECT_TRUE(eventually([&] { return log_of(replicas()[0]).find("the tale is two") != std::string::npos; }));
}

TEST_F(ProcessPlatformTest, IsDeployedOnceTheOldRevisionTakesNothingNew) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "linger")));
  ReplicaName old = replicas()[0];
  ASSERT_TRUE(deploy_and_wait(tale("f", "two")));
  EXPECT_TRUE(folder_.has("home/functions/nuclio/f/1/code/takes-nothing"));
  EXPECT_THAT(log_of(old), Not(HasSubstr("drained")));  // what it has, it finishes in the background
  folder_.write("home/functions/nuclio/f/1/code/let-go", "");
  EXPECT_TRUE(eventually([&] { return log_of(old).find("drained\n") != std::string::npos; }));
}

TEST_F(ProcessPlatformTest, IsDeployedThoughTheOldRevisionDoesNotSayWhetherItTakesNewEvents) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "deaf")));
  ReplicaName old = replicas()[0];
  ASSERT_TRUE(deploy_and_wait(tale("f", "two")));
  EXPECT_EQ(status().state, FunctionState::ready);
  EXPECT_THAT(log_of(old), Not(HasSubstr("drained")));
  folder_.write("home/functions/nuclio/f/1/code/let-go", "");
}

TEST_F(ProcessPlatformTest, LetsTheOldRevisionServeWhenTheNewOneIsBroken) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  auto serving = replicas();
  int port = status().http_port;
  struct Case {
    const char* text;
    const char* message;
  };
  for (const Case& each :
       {Case{"broken", "line 1 is broken; mend it"}, Case{"refuse", "this tale is not for you"},
        Case{"vanish", "the processor exited with code 5 before it was ready\nthe tale is vanish"}}) {
    auto outcome = deploy_and_wait(tale("f", each.text));
    ASSERT_FALSE(outcome) << each.text;
    EXPECT_THAT(outcome.error().what, HasSubstr(each.message));
    EXPECT_THAT(status().message, HasSubstr("The version that was deployed before goes on serving"));
    EXPECT_EQ(status().state, FunctionState::error);
    EXPECT_EQ(status().http_port, port);
    EXPECT_TRUE(accepts(port));
    EXPECT_EQ(replicas(), serving);
  }
  ASSERT_TRUE(deploy_and_wait(tale("f", "mended")));
  EXPECT_EQ(status().state, FunctionState::ready);
  EXPECT_EQ(status().message, "");
}

TEST_F(ProcessPlatformTest, ShowsTheLogOfAFunctionThatNeverRan) {
  auto outcome = deploy_and_wait(tale("f", "vanish"));
  ASSERT_FALSE(outcome);
  EXPECT_THAT(status().message, testing::Not(HasSubstr("goes on serving")));
  ASSERT_THAT(replicas(), SizeIs(1));
  EXPECT_THAT(log_of(replicas()[0]), HasSubstr("so long"));
  std::vector<std::string> messages;
  for (const auto& line : status().logs) messages.emplace_back(line.at("message").as_string());
  EXPECT_THAT(messages, Contains("so long"));
}

TEST_F(ProcessPlatformTest, GivesUpOnAReplicaThatIsNotReadyInTime) {
  auto outcome = deploy_and_wait(tale("f", "mute", {{"readinessTimeoutSeconds", 1}}));
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().what, HasSubstr("it was not ready in time; spec.readinessTimeoutSeconds allows it more"));
  EXPECT_EQ(status().state, FunctionState::error);
}

TEST_F(ProcessPlatformTest, StartsAReplicaAgainThatEndedByItself) {
  ASSERT_TRUE(deploy(tale("f", "crash")));
  EXPECT_TRUE(eventually([&] { return status().state == FunctionState::unhealthy; }));
  EXPECT_THAT(status().message, HasSubstr("exited with code 3"));
  EXPECT_TRUE(eventually([&] { return status().state == FunctionState::ready; }));
  EXPECT_EQ(status().message, "");
  EXPECT_THAT(replicas(), SizeIs(1));
}

TEST_F(ProcessPlatformTest, RunsWhatItRanBeforeAtTheSameAddress) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  ASSERT_FALSE(deploy_and_wait(tale("f", "broken")));
  ASSERT_TRUE(deploy_and_wait(tale("g", "one"), "g"));
  ASSERT_TRUE(want("g", DesiredState::scaled_to_zero));
  int port = status().http_port;
  ReplicaName old = replicas()[0];
  close();
  EXPECT_FALSE(accepts(port));
  EXPECT_THAT(log_of(old), HasSubstr("drained"));
  open();
  EXPECT_EQ(status().http_port, port);
  EXPECT_TRUE(eventually([&] { return log_of(replicas()[0]).find("the tale is one") != std::string::npos; }));
  EXPECT_EQ(status().state, FunctionState::error);  // as before: the last deploy failed
  EXPECT_EQ(status("g").state, FunctionState::scaled_to_zero);
  EXPECT_EQ(status("g").http_port, 0);
}

TEST_F(ProcessPlatformTest, IsReadyAgainAfterARestart) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  close();
  open();
  EXPECT_TRUE(eventually([&] { return status().state == FunctionState::ready; }));
}

TEST_F(ProcessPlatformTest, StopsAndStartsAFunction) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  int port = status().http_port;
  ASSERT_TRUE(want("f", DesiredState::scaled_to_zero));
  EXPECT_EQ(status().state, FunctionState::scaled_to_zero);
  EXPECT_FALSE(accepts(port));
  ASSERT_TRUE(want("f", DesiredState::ready));
  EXPECT_EQ(status().state, FunctionState::ready);
  EXPECT_EQ(status().http_port, port);
}

TEST_F(ProcessPlatformTest, RunsAsManyReplicasAsAskedFor) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one", {{"replicas", 3}})));
  EXPECT_THAT(replicas(), SizeIs(3));
  ASSERT_TRUE(deploy_and_wait(tale("f", "one", {{"disable", true}})));
  EXPECT_EQ(status().state, FunctionState::ready);
  EXPECT_EQ(status().http_port, 0);
  ASSERT_TRUE(deploy_and_wait(tale("f", "one", {{"replicas", 0}})));
  EXPECT_EQ(status().state, FunctionState::scaled_to_zero);
  auto too_many = deploy(tale("f", "one", {{"replicas", 1000}}));
  ASSERT_FALSE(too_many);
  EXPECT_THAT(too_many.error().what, HasSubstr("spec.replicas must be at most 64"));
}

TEST_F(ProcessPlatformTest, KeepsAnImportUntilItIsAskedToRun) {
  auto given = tale("f", "one", {}, {{"annotations", {{"skip-build", "true"}, {"skip-deploy", "true"}}}});
  ASSERT_TRUE(deploy(given));
  EXPECT_EQ(status().state, FunctionState::imported);
  ASSERT_TRUE(want("f", DesiredState::ready));
  EXPECT_EQ(status().state, FunctionState::ready);
  EXPECT_TRUE(platform_->function(id("f"))->metadata.annotations.empty());
}

TEST_F(ProcessPlatformTest, LeavesNothingOfADeletedFunction) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  int port = status().http_port;
  ASSERT_TRUE(remove("f"));
  EXPECT_FALSE(accepts(port));
  EXPECT_EQ(platform_->function(id("f")).error().why, Why::not_found);
  EXPECT_FALSE(folder_.has("home/functions/nuclio/f"));
  EXPECT_FALSE(folder_.has("home/logs/nuclio/f"));
  close();
  open();
  EXPECT_EQ(platform_->function(id("f")).error().why, Why::not_found);
}

TEST_F(ProcessPlatformTest, CanBeForcedToDeleteWhatIsBeingDeployed) {
  ASSERT_TRUE(deploy(tale("f", "mute")));
  EXPECT_TRUE(eventually([&] { return status().state == FunctionState::waiting_for_resource_configuration; }));
  EXPECT_EQ(remove("f").error().why, Why::precondition);
  EXPECT_TRUE(remove("f", "", Force::yes));
}

TEST_F(ProcessPlatformTest, RefusesWithAReason) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  ASSERT_TRUE(deploy(tale("busy", "mute")));
  auto listener = Listener::listen(loop_, {.host = "127.0.0.1"});
  ASSERT_TRUE(listener);
  struct Case {
    json::value given;
    Why why;
    std::string message;
  };
  std::vector<Case> cases{
      {tale("Bad_Name", "x"), Why::invalid, "function name must"},
      {tale("dashboard", "x"), Why::precondition, "dashboard"},
      {tale("new", "x", {}, {{"labels", {{"nuclio.io/project-name", "none"}}}}), Why::precondition,
       "project \"none\" does not exist"},
      {tale("f", "x", {}, {{"resourceVersion", "9"}}), Why::conflict, "its resourceVersion is 1, not 9"},
      {tale("busy", "x"), Why::precondition, "function \"busy\" is being deployed"},
      {tale("new", "x", {{"minReplicas", 3}, {"maxReplicas", 2}}), Why::invalid, "eplicas"},
      {tale("new", "x", {{"minReplicas", "x"}}), Why::invalid, "spec.minReplicas"},
  };
  for (Case& each : cases) {
    auto outcome = deploy(each.given);
    ASSERT_FALSE(outcome) << each.message;
    EXPECT_EQ(outcome.error().why, each.why) << outcome.error().what;
    EXPECT_THAT(outcome.error().what, HasSubstr(each.message));
  }
  EXPECT_EQ(deploy(tale("f", "x"), Deploy::only_new).error().why, Why::conflict);
  EXPECT_EQ(remove("none").error().why, Why::not_found);
  EXPECT_EQ(remove("f", "9").error().why, Why::conflict);
  EXPECT_FALSE(platform_->function(id("new")));

  json::object web{{"kind", "http"}, {"attributes", {{"port", listener->address().port}}}};
  auto taken = deploy_and_wait(tale("f", "x", {{"triggers", {{"web", web}}}}));
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().what, HasSubstr("the http trigger's port cannot be used"));
  EXPECT_THAT(taken.error().what, HasSubstr(std::to_string(listener->address().port)));
  ASSERT_TRUE(remove("busy", "", Force::yes));
}

TEST_F(ProcessPlatformTest, GuardsProjectsThatHoldFunctions) {
  spec::Project project;
  project.metadata.name = "media";
  project.metadata.namespace_name = "nuclio";
  ProjectId media{Namespace{"nuclio"}, ProjectName{"media"}};
  ProjectId usual{Namespace{"nuclio"}, ProjectName{"default"}};
  ASSERT_TRUE(run_until_done(loop_, platform_->create_project(project)));
  EXPECT_EQ(run_until_done(loop_, platform_->create_project(project)).error().why, Why::conflict);
  ASSERT_TRUE(deploy_and_wait(tale("f", "x", {}, {{"labels", {{"nuclio.io/project-name", "media"}}}})));
  EXPECT_THAT(*platform_->functions(media.namespace_name, media.name), SizeIs(1));
  EXPECT_THAT(*platform_->functions(media.namespace_name, usual.name), SizeIs(0));
  auto deleted = [&](const ProjectId& id, ProjectDeletion how) {
    return run_until_done(loop_, platform_->delete_project(id, how));
  };
  EXPECT_EQ(deleted(usual, ProjectDeletion::cascading).error().why, Why::precondition);
  EXPECT_THAT(deleted(media, ProjectDeletion::restricted).error().what,
              HasSubstr("still has 1 function, such as \"f\""));
  EXPECT_EQ(deleted(media, ProjectDeletion::check).error().why, Why::precondition);
  ASSERT_TRUE(deleted(media, ProjectDeletion::cascading));
  EXPECT_EQ(platform_->function(id("f")).error().why, Why::not_found);
  EXPECT_EQ(deleted(media, ProjectDeletion::restricted).error().why, Why::not_found);
}

TEST_F(ProcessPlatformTest, KeepsEventsUntilTheirFunctionIsDeleted) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  spec::FunctionEvent event;
  event.metadata.name = "e";
  event.metadata.namespace_name = "nuclio";
  event.metadata.labels["nuclio.io/function-name"] = "f";
  EXPECT_EQ(run_until_done(loop_, platform_->update_function_event(event)).error().why, Why::not_found);
  ASSERT_TRUE(run_until_done(loop_, platform_->create_function_event(event)));
  EXPECT_EQ(run_until_done(loop_, platform_->create_function_event(event)).error().why, Why::conflict);
  event.spec.body = "changed";
  ASSERT_TRUE(run_until_done(loop_, platform_->update_function_event(event)));
  close();
  open();
  const FunctionEventId e{Namespace{"nuclio"}, FunctionEventName{"e"}};
  EXPECT_EQ(run_until_done(loop_, platform_->function_event(e))->spec.body, "changed");
  ASSERT_TRUE(settled("f"));
  ASSERT_TRUE(remove("f"));
  EXPECT_EQ(run_until_done(loop_, platform_->function_event(e)).error().why, Why::not_found);
  EXPECT_EQ(run_until_done(loop_, platform_->delete_function_event(e)).error().why, Why::not_found);
}

spec::ApiGateway gateway(const std::string& name, const std::string& function) {
  spec::ApiGateway out;
  out.metadata.name = name;
  out.metadata.namespace_name = "nuclio";
  out.spec.host = name + ".example.com";
  out.spec.upstreams.push_back({.function = {function}});
  return out;
}

TEST_F(ProcessPlatformTest, KeepsGatewaysAndTheirPasswords) {
  const ApiGatewayId shop{Namespace{"nuclio"}, ApiGatewayName{"shop"}};
  spec::ApiGateway given = gateway("shop", "f");
  given.spec.authentication_mode = spec::AuthenticationMode::basic_auth;
  given.spec.authentication = {.basic_auth = spec::BasicAuth{"ann", "secret"}, .dex_auth = {}};
  EXPECT_EQ(run_until_done(loop_, platform_->update_api_gateway(given, CheckFunctions::no)).error().why,
            Why::not_found);
  EXPECT_EQ(run_until_done(loop_, platform_->create_api_gateway(given, CheckFunctions::yes)).error().what,
            "function \"f\" does not exist; deploy it first");
  ASSERT_TRUE(run_until_done(loop_, platform_->create_api_gateway(given, CheckFunctions::no)));
  EXPECT_EQ(run_until_done(loop_, platform_->create_api_gateway(given, CheckFunctions::no)).error().why, Why::conflict);
  close();
  open();
  auto kept = run_until_done(loop_, platform_->api_gateway(shop));
  ASSERT_TRUE(kept) << kept.error().what;
  EXPECT_EQ(kept->spec.name, "shop");
  EXPECT_EQ(kept->metadata.labels.at("nuclio.io/project-name"), "default");
  EXPECT_EQ(kept->status.state, "waitingForProvisioning");
  EXPECT_THAT(kept->status.last_error, HasSubstr("nothing serves API gateways"));
  EXPECT_EQ(kept->spec.authentication->basic_auth->password, "$ref:/spec/authentication/basicauth/password");
  ASSERT_TRUE(run_until_done(loop_, platform_->update_api_gateway(*kept, CheckFunctions::no)));
  EXPECT_THAT(folder_.read("home/state.db-wal") + folder_.read("home/state.db"), HasSubstr("secret"));

  spec::ApiGateway other = *kept;
  other.metadata.name = other.spec.name = "other";
  EXPECT_THAT(run_until_done(loop_, platform_->create_api_gateway(other, CheckFunctions::no)).error().what,
              HasSubstr("no password is kept"));
  other.spec.authentication_mode = spec::AuthenticationMode::none;
  other.spec.authentication.reset();
  other.spec.path = "/";
  EXPECT_THAT(run_until_done(loop_, platform_->create_api_gateway(other, CheckFunctions::no)).error().what,
              HasSubstr("in use by API gateway \"shop\""));
  ASSERT_TRUE(run_until_done(loop_, platform_->delete_api_gateway(shop)));
  EXPECT_EQ(run_until_done(loop_, platform_->delete_api_gateway(shop)).error().why, Why::not_found);
}

TEST_F(ProcessPlatformTest, KeepsFunctionsAndProjectsThatGatewaysLeadTo) {
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  ASSERT_TRUE(run_until_done(loop_, platform_->create_api_gateway(gateway("shop", "f"), CheckFunctions::yes)));
  auto refused = remove("f");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, Why::precondition);
  EXPECT_THAT(refused.error().what, HasSubstr("used by API gateway \"shop\""));
  ASSERT_TRUE(remove("f", "", Force::no, WithGateways::yes));
  EXPECT_TRUE(run_until_done(loop_, platform_->api_gateways(Namespace{"nuclio"}, {}))->empty());

  spec::Project media;
  media.metadata.name = "media";
  media.metadata.namespace_name = "nuclio";
  ASSERT_TRUE(run_until_done(loop_, platform_->create_project(media)));
  spec::ApiGateway of_media = gateway("shop", "f");
  of_media.metadata.labels["nuclio.io/project-name"] = "media";
  ASSERT_TRUE(run_until_done(loop_, platform_->create_api_gateway(of_media, CheckFunctions::no)));
  const ProjectId id{Namespace{"nuclio"}, ProjectName{"media"}};
  EXPECT_THAT(run_until_done(loop_, platform_->delete_project(id, ProjectDeletion::check)).error().what,
              HasSubstr("still has 1 API gateway, such as \"shop\""));
  ASSERT_TRUE(run_until_done(loop_, platform_->delete_project(id, ProjectDeletion::cascading)));
  EXPECT_TRUE(run_until_done(loop_, platform_->api_gateways(Namespace{"nuclio"}, {}))->empty());
}

TEST_F(ProcessPlatformTest, RemembersWhatAFunctionWasAskedToBe) {
  const auto revisions = [&] { return run_until_done(loop_, platform_->revisions(id("f"))); };
  const auto states = [&] {
    std::vector<std::pair<std::int64_t, RevisionState>> out;
    const auto known = revisions();
    EXPECT_TRUE(known);
    if (known)
      for (const RevisionSummary& each : *known) out.emplace_back(each.number.value(), each.state);
    return out;
  };
  using S = RevisionState;
  using States = std::vector<std::pair<std::int64_t, S>>;
  ASSERT_TRUE(deploy_and_wait(tale("f", "one", {}, {{"annotations", {{kDeployedBy, "ann"}}}})));
  ASSERT_TRUE(deploy(tale("f", "two")));
  EXPECT_EQ(states(), (States{{2, S::deploying}, {1, S::serving}}));
  ASSERT_TRUE(settled("f"));
  EXPECT_FALSE(deploy_and_wait(tale("f", "refuse")));
  EXPECT_EQ(states(), (States{{3, S::failed}, {2, S::serving}, {1, S::superseded}}));
  EXPECT_EQ(revisions()->back().deployed_by, "ann");
  EXPECT_EQ(revisions()->front().deployed_by, "");
  // The one that failed can be gone back to just as well, and be as wrong as it was.
  for (const std::int64_t number : {1, 3}) {
    auto before = run_until_done(loop_, platform_->revision(id("f"), Revision{number}));
    ASSERT_TRUE(before) << before.error().what;
    EXPECT_EQ(before->status.state, FunctionState::none);
    EXPECT_EQ(deploy_and_wait(spec::to_json(*before, spec::Secrets::shown)).has_value(), number == 1);
  }
  EXPECT_EQ(states().front(), (std::pair{std::int64_t{5}, S::failed}));
  EXPECT_EQ(states()[1], (std::pair{std::int64_t{4}, S::serving}));
  close();
  open();
  EXPECT_EQ(states()[1], (std::pair{std::int64_t{4}, S::serving}));
  EXPECT_EQ(run_until_done(loop_, platform_->revisions(id("g"))).error().why, Why::not_found);
  EXPECT_EQ(run_until_done(loop_, platform_->revision(id("f"), Revision{9})).error().why, Why::not_found);
}

// Notes whatever it is told.
class Listening final : public Observer {
 public:
  void function_changed(const FunctionId& id) override { functions.insert(id.name.value()); }
  void project_changed(const ProjectId& id) override { projects.insert(id.name.value()); }
  void build_logged(const FunctionId& id, const json::object& line) override {
    lines.push_back(id.name.value() + ": " + std::string(line.at("message").as_string()));
  }
  std::set<std::string> functions, projects;
  std::vector<std::string> lines;
};

TEST_F(ProcessPlatformTest, TellsOfChanges) {
  Listening listening;
  platform_->observe(&listening);
  spec::Project project;
  project.metadata.name = "media";
  project.metadata.namespace_name = "nuclio";
  ASSERT_TRUE(run_until_done(loop_, platform_->create_project(project)));
  EXPECT_EQ(std::exchange(listening.projects, {}), std::set<std::string>{"media"});
  ASSERT_TRUE(run_until_done(
      loop_, platform_->delete_project({Namespace{"nuclio"}, ProjectName{"media"}}, ProjectDeletion::restricted)));
  EXPECT_EQ(listening.projects, std::set<std::string>{"media"});
  const std::set<std::string> f{"f"};
  ASSERT_TRUE(deploy(tale("f", "one")));
  EXPECT_EQ(std::exchange(listening.functions, {}), f);
  ASSERT_TRUE(settled("f"));
  EXPECT_EQ(std::exchange(listening.functions, {}), f);
  EXPECT_EQ(listening.lines.size(), status().logs.size());
  EXPECT_THAT(listening.lines.front(), StartsWith("f: Reading main.tale"));
  ASSERT_TRUE(want("f", DesiredState::scaled_to_zero));
  EXPECT_EQ(std::exchange(listening.functions, {}), f);
  ASSERT_TRUE(remove("f"));
  EXPECT_EQ(listening.functions, f);
  platform_->observe(nullptr);
}

TEST_F(ProcessPlatformTest, KnowsWhereMetricsOfReplicasAreRead) {
  std::string program{kTaleProcessor};
  const std::string ready = R"({"state":"ready"})";
  for (std::size_t at = 0; (at = program.find(ready, at)) != std::string::npos; at += ready.size())
    program.replace(at, ready.size(), R"({"state":"ready","addresses":{"metrics":"127.0.0.1:4242"}})");
  folder_.write_program("bin/processor", program);
  ASSERT_TRUE(deploy_and_wait(tale("f", "one")));
  const auto addresses = platform_->metrics_addresses();
  ASSERT_THAT(addresses, SizeIs(1));
  EXPECT_EQ(addresses[0].function, id("f"));
  EXPECT_EQ(addresses[0].replica, replicas()[0]);
  EXPECT_EQ(addresses[0].address, "127.0.0.1:4242");
  ASSERT_TRUE(want("f", DesiredState::scaled_to_zero));
  EXPECT_TRUE(platform_->metrics_addresses().empty());
}

}  // namespace
}  // namespace nuclio::platform::process
