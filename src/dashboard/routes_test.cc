// SPDX-License-Identifier: Apache-2.0
// The REST API over HTTP, with a platform that only remembers what it was asked.
#include "dashboard/routes.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "base/version.h"
#include "dashboard/events/hub.h"
#include "dashboard/fake_platform.h"
#include "dashboard/function_templates.h"
#include "dashboard/guard.h"
#include "dashboard/metrics/history.h"
#include "http/server.h"
#include "loop/run.h"

namespace nuclio::dashboard {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using namespace std::chrono_literals;
namespace json = boost::json;

// A function that says what reached it.
class Mirror final : public http::Handler {
 public:
  Task<Response> handle(Request& request) override {
    ++calls;
    host = request.headers.get("Host");
    Response response = Response::text(
        201, std::string(request.method) + " " + std::string(request.target) + " " + std::string(request.body) + "|" +
                 std::string(request.headers.get("X-Nuclio-Log-Level")) + std::string(request.headers.get("X-Shop")) +
                 std::string(request.headers.get("X-Nuclio-Path")));
    response.headers.add("X-Own", "yes");
    response.headers.add("X-Nuclio-Logs", "[]");
    response.headers.add("X-Nuclio-Secret", "no");
    co_return response;
  }
  int calls = 0;
  std::string host;  // of the last call
};

class RestApi : public ::testing::Test {
 protected:
  RestApi()
      : served_{platform_,   client_, config_,    Namespace{"nuclio"}, {"127.0.0.1"}, authenticator_,
                authorizer_, nullptr, audit_log_, templates_,          events_,       history_},
        router_(api_routes(served_)),
        guard_(router_, {}),
        server_(loop_, limits_, guard_),
        function_server_(loop_, limits_, mirror_) {
    Address any{.host = "127.0.0.1"};
    server_.serve(*Listener::listen(loop_, any));
    function_server_.serve(*Listener::listen(loop_, any));
    spec::FunctionConfig f;
    f.metadata.name = "f";
    f.metadata.namespace_name = "nuclio";
    f.status.state = spec::FunctionState::ready;
    f.status.internal_invocation_urls = {function_server_.addresses()[0].text()};
    platform_.known["f"] = f;
    spec::FunctionConfig stopped;
    stopped.metadata.name = "stopped";
    platform_.known["stopped"] = stopped;
    spec::Project project;
    project.metadata.name = "default";
    platform_.known_projects["default"] = project;
    spec::FunctionEvent event;
    event.metadata.name = "e";
    event.metadata.namespace_name = "nuclio";
    event.metadata.resource_version = "7";
    event.metadata.labels["nuclio.io/function-name"] = "f";
    event.spec.display_name = "an order";
    platform_.known_events["e"] = event;
  }

  http::ClientResponse call(std::string method, std::string path, std::string body = "",
                            std::vector<std::pair<std::string, std::string>> headers = {}) {
    http::ClientRequest request;
    request.method = std::move(method);
    request.url = "http://" + server_.addresses()[0].text() + path;
    request.body = std::move(body);
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    auto answer = run_until_done(loop_, client_.fetch(request, Deadline::in(10s)));
    EXPECT_TRUE(answer) << answer.error().what;
    return answer ? *answer : http::ClientResponse{};
  }
  static std::string error_in(const http::ClientResponse& answer) {
    boost::system::error_code bad;
    json::value body = json::parse(answer.body, bad);
    if (bad || !body.is_object() || !body.get_object().contains("error")) return "not an error: " + answer.body;
    return std::string(body.at("error").as_string());
  }

  Loop loop_;
  FakePlatform platform_;
  EventHub events_{loop_, platform_};
  MetricsHistory history_;
  spec::PlatformConfig config_;
  http::Limits limits_;
  http::Client client_{loop_};
  Mirror mirror_;
  TokenFolder tokens_{"/nowhere"};
  Authenticator authenticator_{loop_, {}, {}, tokens_, nullptr};
  RoleAuthorizer authorizer_;
  AuditLog audit_log_;
  FunctionTemplates templates_{loop_, client_, {}};
  Served served_;
  http::Router router_;
  Guard guard_;
  http::Server server_;
  http::Server function_server_;
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST_F(RestApi, AsksThePlatformForWhatTheCallMeans) {
  const std::string wait = "X-Nuclio-Wait-Function-Action";
  const std::string f = R"({"metadata":{"name":"f"},"spec":{}})";
  const std::string full = R"({"metadata":{"name":"f","namespace":"nuclio"},"spec":{}})";
  const std::string labels = R"("labels":{"nuclio.io/function-name":"f"}},"spec":{"body":"b"}})";
  const std::string event = R"({"metadata":{"name":"e",)" + labels;
  const std::string full_event = R"({"metadata":{"name":"e","namespace":"nuclio",)" + labels;
  const std::string gateway = R"({"metadata":{"name":"w"},"spec":{"host":"h"}})";
  platform_.known_gateways["w"].metadata.name = "w";
  const std::string full_gateway = R"({"metadata":{"name":"w","namespace":"nuclio"},"spec":{"host":"h"}})";
  struct Case {
    std::string method, path, body;
    Pairs headers;
    int status;
    std::string asked;
  };
  std::vector<Case> cases{
      {"POST", "/api/functions", f, {}, 202, "create " + full},
      {"POST", "/api/functions", f, {{wait, "true"}}, 202, "create " + full + ", wait for f"},
      {"PUT",
       "/api/functions/f",
       R"({"spec":{}, "status":{"state":"ready"}})",
       {{"X-Nuclio-Function-Namespace", "n"}},
       202,
       R"(put {"spec":{},"metadata":{"name":"f","namespace":"n"}})"},
      {"PUT",
       "/api/functions/f",
       f,
       {{"X-Nuclio-Project-Name", "p"}},
       202,
       R"(put {"metadata":{"name":"f","namespace":"nuclio","labels":{"nuclio.io/project-name":"p"}},"spec":{}})"},
      {"PATCH", "/api/functions/f", R"({"desiredState":"ready"})", {}, 202, "start f"},
      {"PATCH", "/api/functions/f", R"({"desiredState":"scaledToZero"})", {{wait, "true"}}, 202, "stop f, wait for f"},
      {"DELETE", "/api/functions", R"({"metadata":{"name":"f","resourceVersion":"3"}})", {}, 204, "delete nuclio/f 3"},
      {"GET", "/api/api_gateways", "", {}, 200, "list gateways nuclio"},
      {"GET",
       "/api/api_gateways",
       "",
       {{"X-Nuclio-Api-Gateway-Namespace", "n"}, {"X-Nuclio-Project-Name", "p"}, {"X-Nuclio-Function-Name", "f"}},
       200,
       "list gateways n of project p of f"},
      {"GET", "/api/api_gateways/w", "", {}, 200, "gateway nuclio/w"},
      {"POST", "/api/api_gateways", gateway, {}, 201, "create gateway " + full_gateway},
      {"POST",
       "/api/api_gateways",
       gateway,
       {{"X-Nuclio-Agw-Validate-Functions-Existence", "true"}},
       201,
       "create gateway " + full_gateway + " checked"},
      {"PUT", "/api/api_gateways/w", R"({"spec":{"host":"h"}})", {}, 204, "update gateway " + full_gateway},
      {"PUT", "/api/api_gateways", gateway, {}, 204, "update gateway " + full_gateway},
      {"DELETE", "/api/api_gateways", gateway, {}, 204, "delete gateway nuclio/w"},
      {"DELETE",
       "/api/functions",
       f,
       {{"X-Nuclio-Delete-Function-With-API-Gateways", "true"}},
       204,
       "delete nuclio/f  with gateways"},
      {"DELETE",
       "/api/functions",
       f,
       {{"X-Nuclio-Delete-Function-Ignore-State-Validation", "true"}},
       204,
       "delete nuclio/f  by force"},
      {"GET", "/api/functions", "", {{"X-Nuclio-Project-Name", "p"}}, 200, "list nuclio of p"},
      {"GET",
       "/api/functions",
       "",
       {{"X-Nuclio-Project-Name", "*"}, {"X-Nuclio-Function-Namespace", "n"}},
       200,
       "list n"},
      {"GET", "/api/functions/f/logs/f-1", "", {}, 200, "logs f-1"},
      {"GET",
       "/api/functions/f/logs/f-1?follow=true&since=1s&tailLines=5",
       "",
       {},
       200,
       "logs f-1 follow since 1000000000 tail 5"},
      {"GET", "/api/v2/functions/f/revisions", "", {}, 200, "revisions of f"},
      {"GET", "/api/v2/functions/f/revisions/3", "", {}, 200, "revision 3 of f"},
      {"POST", "/api/projects", R"({"metadata":{"name":"p"}})", {}, 201, "create project nuclio/p"},
      {"PUT", "/api/projects/p", R"({"spec":{"description":"d"}})", {}, 204, "update project p d"},
      {"PUT", "/api/projects", R"({"metadata":{"name":"p"}})", {}, 204, "update project p "},
      {"DELETE", "/api/projects", R"({"metadata":{"name":"p"}})", {}, 204, "delete project p restricted"},
      {"DELETE",
       "/api/projects",
       R"({"metadata":{"name":"p"}})",
       {{"X-Nuclio-Delete-Project-Strategy", "cascading"}},
       204,
       "delete project p cascading"},
      {"GET", "/api/function_events", "", {}, 200, "list events nuclio"},
      {"GET",
       "/api/function_events",
       "",
       {{"X-Nuclio-Function-Name", "f"}, {"X-Nuclio-Function-Event-Namespace", "n"}},
       200,
       "list events n of f"},
      {"GET", "/api/function_events/e", "", {{"X-Nuclio-Function-Event-Namespace", "n"}}, 200, "event n/e"},
      {"POST", "/api/function_events", event, {}, 201, "create event " + full_event},
      {"PUT", "/api/function_events", event, {}, 204, "update event " + full_event},
      {"DELETE", "/api/function_events", R"({"metadata":{"name":"e"}})", {}, 204, "delete event nuclio/e"},
  };
  for (const Case& each : cases) {
    platform_.asked.clear();
    auto answer = call(each.method, each.path, each.body, each.headers);
    EXPECT_EQ(answer.status, each.status) << each.method << " " << each.path << " " << answer.body;
    EXPECT_EQ(platform_.asked, each.asked);
  }
}

TEST_F(RestApi, TellsHowAFunctionHasFared) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const Step step = now.time_since_epoch() / kFineStep - 2;
  const platform::FunctionId f{Namespace{"nuclio"}, FunctionName{"f"}};
  Point idle;
  idle.known = true;
  idle.replicas = 1;
  idle.memory_bytes = 48u << 20;
  Point busy = idle;
  busy.succeeded = 20;
  busy.handling[3] = 20;
  busy.waits = 20;
  busy.wait_microseconds = 400;
  busy.memory_bytes = 0;  // its processor does not tell
  history_.add(f, step, idle);
  history_.add(f, step + 1, busy);
  auto answer = call("GET", "/api/v2/functions/f/metrics?since=1m");
  ASSERT_EQ(answer.status, 200);
  const json::value body = json::parse(answer.body);
  const json::array& rates = body.at("ratePerSecond").as_array();
  const auto at = static_cast<std::size_t>(std::ranges::find(rates, json::value(2.0)) - rates.begin());
  ASSERT_GT(at, 0u);
  ASSERT_LT(at, rates.size());
  const auto column = [&](std::string_view name) {
    const json::array& all = body.at(name).as_array();
    return json::serialize(json::array{all[at - 1], all[at]});
  };
  EXPECT_EQ(column("p50Seconds"), "[null,7.5E-4]");
  EXPECT_EQ(column("queueWaitSeconds"), "[null,2E-5]");
  EXPECT_EQ(column("errorsPerSecond"), "[0E0,0E0]");
  EXPECT_EQ(column("memoryBytes"), "[50331648,null]");
  EXPECT_EQ(column("replicas"), "[1,1]");
  EXPECT_EQ(body.at("memoryBytes").as_array().front(), nullptr);
}

TEST_F(RestApi, TellsHowEachTriggerFares) {
  auto before = call("GET", "/api/v2/functions/f/metrics/triggers");
  EXPECT_EQ(before.status, 200);
  EXPECT_EQ(json::parse(before.body), json::parse(R"({"metadata": {"name": "f", "namespace": "nuclio"},
      "stepSeconds": 10, "triggers": {}})"));
  const platform::FunctionId f{Namespace{"nuclio"}, FunctionName{"f"}};
  const TriggerPoint web{.succeeded = 15, .failed = 5, .in_flight = 7, .workers = 4, .idle = 0, .waiting = 3};
  history_.set_triggers(100, {{f, {{"web", web}}}});
  auto answer = call("GET", "/api/v2/functions/f/metrics/triggers");
  EXPECT_EQ(json::parse(answer.body), json::parse(R"({"metadata": {"name": "f", "namespace": "nuclio"},
      "stepSeconds": 10, "begin": "1970-01-01T00:16:40Z", "triggers": {"web": {"ratePerSecond": 2e0,
      "errorsPerSecond": 5e-1, "inFlight": 7, "workers": 4, "idleWorkers": 0, "waiting": 3}}})"));
  auto idle = call("GET", "/api/v2/functions/stopped/metrics/triggers");
  EXPECT_THAT(idle.body, HasSubstr("\"triggers\":{}"));
  EXPECT_EQ(call("GET", "/api/v2/functions/none/metrics/triggers").status, 404);
}

TEST_F(RestApi, TellsWhereImagesGoWithoutALogin) {
  const auto told = [&] {
    return json::serialize(json::parse(call("GET", "/api/frontend_spec").body).at("registries"));
  };
  EXPECT_EQ(told(), "null");
  served_.registries = Registries{};
  EXPECT_EQ(told(), R"({"push":"","run":"","base":"","baseImages":{}})");
  served_.registries = Registries{
      .push = "http://ann:s3cr3t@registry.local:5000/team@1", .run = "localhost:5000/team", .base = "ann:x@hub.local"};
  config_.image_registry_overrides["baseImageRegistries"] = {
      {"python", "mirror.local"}, {"cpp", "bob@mirror.local/x"}, {"odd", 1}};
  EXPECT_EQ(told(), R"({"push":"http://registry.local:5000/team@1","run":"localhost:5000/team",)"
                    R"("base":"hub.local","baseImages":{"python":"mirror.local","cpp":"mirror.local/x"}})");
}

TEST_F(RestApi, RefusesWhatItCannotUnderstandAndAsksForNothing) {
  struct Case {
    std::string method, path, body;
    Pairs headers;
    int status;
    std::string complaint;
  };
  std::vector<Case> cases{
      {"POST", "/api/functions", "", {}, 400, "must have a body"},
      {"GET", "/api/v2/functions/f/revisions/0", "", {}, 400, "a revision is a number from 1 on, not \"0\""},
      {"GET", "/api/v2/functions/f/metrics?since=25h", "", {}, 400, "since must be from 10s to 24h0m0s, is 25h"},
      {"GET", "/api/v2/functions/f/metrics?step=soon", "", {}, 400, "step: "},
      {"GET", "/api/v2/events?namespace=elsewhere", "", {}, 404, "namespace \"elsewhere\" is not served here"},
      {"GET", "/api/v2/events?logs=nobody", "", {}, 404, "function \"nobody\" does not exist"},
      {"POST", "/api/functions", "{", {}, 400, "the request's body: "},
      {"POST", "/api/functions", "[]", {}, 400, "must be a JSON object"},
      {"POST", "/api/functions", "{}", {}, 400, "metadata.name must be set"},
      {"POST", "/api/functions", R"({"metadata":[]})", {}, 400, "metadata must be an object"},
      {"PUT", "/api/functions/g", R"({"metadata":{"name":"f"}})", {}, 400, "must be that of the path, \"g\", is \"f\""},
      {"PATCH",
       "/api/functions/f",
       R"({"desiredState":"error"})",
       {},
       400,
       "must be \"ready\" or \"scaledToZero\", is \"error\""},
      {"DELETE", "/api/functions", R"({"metadata":{"name":"Bad_Name"}})", {}, 400, "function name must"},
      {"GET", "/api/functions/none", "", {}, 404, "function \"none\" does not exist"},
      {"GET", "/api/functions/f/logs/f-1?since=soon", "", {}, 400, "since: "},
      {"GET", "/api/functions/f/logs/f-1?tailLines=-1", "", {}, 400, "tailLines must be a number of lines, is \"-1\""},
      {"GET", "/api/projects/none", "", {}, 404, "project \"none\" does not exist"},
      {"POST", "/api/projects", R"({"metadata":{"name":"p"},"spec":{"owner":1}})", {}, 400, "spec.owner"},
      {"DELETE",
       "/api/projects",
       R"({"metadata":{"name":"p"}})",
       {{"X-Nuclio-Delete-Project-Strategy", "all"}},
       400,
       "must be restricted, cascading or check, is \"all\""},
      {"GET", "/api/function_events", "", {{"X-Nuclio-Function-Name", "f,g"}}, 400, "X-Nuclio-Function-Name: function"},
      {"POST", "/api/function_events", "{}", {}, 400, "metadata.labels must have nuclio.io/function-name"},
      {"POST",
       "/api/function_events",
       R"({"metadata":{"labels":{"nuclio.io/function-name":"F"}}})",
       {},
       400,
       "metadata.labels.nuclio.io/function-name: function name must"},
      {"POST", "/api/function_events", R"({"spec":{"body":7}})", {}, 400, "spec.body must be"},
      {"PUT",
       "/api/function_events",
       R"({"metadata":{"labels":{"nuclio.io/function-name":"f"}}})",
       {},
       400,
       "metadata.name must not be empty"},
      {"DELETE", "/api/function_events", R"({"metadata":{"name":"A/b"}})", {}, 400, "metadata.name must consist of"},
      {"GET", "/api/nonsense", "", {}, 404, ""},
      {"PUT", "/api/versions", "{}", {}, 405, ""},
  };
  for (const Case& each : cases) {
    auto answer = call(each.method, each.path, each.body, each.headers);
    EXPECT_EQ(answer.status, each.status) << each.method << " " << each.path << " " << answer.body;
    EXPECT_THAT(error_in(answer), HasSubstr(each.complaint));
    EXPECT_EQ(platform_.asked, "");
  }
}

TEST_F(RestApi, AnswersWithTheStatusOfWhatThePlatformSays) {
  const std::string f = R"({"metadata":{"name":"f"}})";
  struct Case {
    Why why;
    int status;
  };
  for (const Case& each : {Case{Why::invalid, 400}, Case{Why::conflict, 409}, Case{Why::precondition, 412}}) {
    platform_.answer = fail(each.why, "the reason");
    for (const auto& [method, path] :
         Pairs{{"POST", "/api/functions"}, {"PUT", "/api/functions/f"}, {"DELETE", "/api/functions"}}) {
      auto answer = call(method, path, f);
      EXPECT_EQ(answer.status, each.status) << method;
      EXPECT_EQ(error_in(answer), "the reason");
    }
  }
  platform_.answer = fail(Why::not_found, "gone");
  EXPECT_EQ(call("DELETE", "/api/functions", f).status, 204);
  EXPECT_EQ(call("PATCH", "/api/functions/f", R"({"desiredState":"ready"})").status, 404);
  EXPECT_EQ(call("DELETE", "/api/projects", R"({"metadata":{"name":"p"}})").status, 404);
}

TEST_F(RestApi, SaysWhyADeployFailedThatIsWaitedFor) {
  platform_.settled_with = fail(Why::unavailable, "line 1 is broken");
  auto answer = call("PUT", "/api/functions/f", "{}", {{"X-Nuclio-Wait-Function-Action", "true"}});
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(error_in(answer), "line 1 is broken");
}

TEST_F(RestApi, ShowsAndExportsFunctions) {
  platform_.known["f"].spec.description = "d";
  auto one = call("GET", "/api/functions/f");
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(json::parse(one.body).at("status").at("state"), "ready");
  auto all = json::parse(call("GET", "/api/functions").body);
  EXPECT_EQ(all.at("f").at("spec").at("description"), "d");
  EXPECT_TRUE(all.at("stopped").at("status").is_object());
  auto exported = json::parse(call("GET", "/api/functions/f?export=true").body);
  EXPECT_EQ(exported.at("metadata").at("annotations").at("skip-build"), "true");
  EXPECT_FALSE(exported.as_object().contains("status"));
}

TEST_F(RestApi, StreamsLogsAndNamesReplicas) {
  EXPECT_EQ(call("GET", "/api/functions/f/logs/f-1").body, "one\ntwo\n");
  EXPECT_EQ(call("GET", "/api/functions/f/replicas").body, R"({"names":["f-1"]})");
}

TEST_F(RestApi, PassesInvocationsOn) {
  auto answer = call("POST", "/api/function_invocations/a%20b?x=1", "body",
                     {{"X-Nuclio-Function-Name", "f"}, {"X-Nuclio-Log-Level", "debug"}, {"X-Shop", "north"}});
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "POST /a%20b?x=1 body|debugnorth");
  EXPECT_EQ(answer.headers.get("X-Own"), "yes");
  EXPECT_EQ(answer.headers.get("X-Nuclio-Logs"), "[]");
  EXPECT_FALSE(answer.headers.has("X-Nuclio-Secret"));
  EXPECT_EQ(answer.headers.get("Content-Security-Policy"), "sandbox");
  answer =
      call("GET", "/api/function_invocations", "", {{"X-Nuclio-Function-Name", "f"}, {"X-Nuclio-Path", "orders/7"}});
  EXPECT_EQ(answer.body, "GET /orders/7 |");
  answer = call(
      "GET", "/api/function_invocations", "",
      {{"X-Nuclio-Function-Name", "f"}, {"X-Nuclio-Invoke-Url", "http://" + function_server_.addresses()[0].text()}});
  EXPECT_EQ(answer.body, "GET / |");
}

TEST_F(RestApi, InvokesAReplicaOfTheNewestVersionUnlessAUrlIsNamed) {
  const std::string there = function_server_.addresses()[0].text();
  platform_.known["f"].status.internal_invocation_urls = {"nuclio-f.n.svc.cluster.local:8080"};
  platform_.known["f"].status.external_invocation_urls = {there};
  platform_.replica = there;
  EXPECT_EQ(call("GET", "/api/function_invocations", "", {{"X-Nuclio-Function-Name", "f"}}).status, 201);
  EXPECT_EQ(mirror_.host, "nuclio-f.n.svc.cluster.local:8080");
  platform_.replica = "127.0.0.1:1";
  const Pairs by_url{{"X-Nuclio-Function-Name", "f"}, {"X-Nuclio-Invoke-Url", "http://" + there}};
  EXPECT_EQ(call("GET", "/api/function_invocations", "", by_url).status, 201);
  EXPECT_EQ(mirror_.host, there);
  // What has no address is not invoked, though a replica of it were left.
  auto answer = call("GET", "/api/function_invocations", "", {{"X-Nuclio-Function-Name", "stopped"}});
  EXPECT_EQ(answer.status, 412);
}

TEST_F(RestApi, DoesNotInvokeWhenTheInvocationIsWrong) {
  struct Case {
    Pairs headers;
    int status;
    std::string complaint;
  };
  for (const Case& each :
       {Case{{}, 400, "X-Nuclio-Function-Name must name the function"},
        Case{{{"X-Nuclio-Function-Name", "none"}}, 404, "does not exist"},
        Case{{{"X-Nuclio-Function-Name", "stopped"}}, 412, "has no address to be invoked at"},
        Case{{{"X-Nuclio-Function-Name", "f"}, {"X-Nuclio-Invoke-Timeout", "soon"}},
             400,
             "must be a duration such as 30s, is \"soon\""},
        Case{{{"X-Nuclio-Function-Name", "f"}, {"X-Nuclio-Invoke-Timeout", "-1s"}}, 400, "must be a duration"},
        Case{{{"X-Nuclio-Function-Name", "f"}, {"X-Nuclio-Invoke-Url", "http://169.254.169.254"}},
             400,
             "must be one of the function's URLs"}}) {
    auto answer = call("GET", "/api/function_invocations", "", each.headers);
    EXPECT_EQ(answer.status, each.status) << each.complaint;
    EXPECT_THAT(error_in(answer), HasSubstr(each.complaint));
    EXPECT_THAT(error_in(answer), HasSubstr("Failed to invoke function: "));
  }
  EXPECT_EQ(mirror_.calls, 0);
}

TEST_F(RestApi, ImportsAProjectAndReportsWhatFailed) {
  const std::string body = R"({"project": {"metadata": {"name": "p"}},
    "functions": {"f": {"metadata": {"name": "f", "namespace": "elsewhere"}, "spec": {}}, "g": 7},
    "functionEvents": {"d": 1, "e": {"metadata": {"labels": {"nuclio.io/function-name": "g"}}},
                       "h": {"metadata": {"namespace": "x", "labels": {"nuclio.io/function-name": "f"}}}},
    "apiGateways": {"w": 3}})";
  auto answer = call("POST", "/api/projects?import=true", body);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(
      platform_.deployed,
      std::vector{std::string(
          R"(create {"metadata":{"name":"f","namespace":"nuclio","labels":{"nuclio.io/project-name":"p"}},"spec":{}})")});
  EXPECT_EQ(platform_.asked,
            R"(create event {"metadata":{"name":"h","namespace":"nuclio","labels":{"nuclio.io/function-name":"f"}}})");
  EXPECT_EQ(json::parse(answer.body), json::parse(R"({
    "functionImportResult": {"createdAmount": 1, "failedAmount": 1, "failedFunctions": [{"function": "g", "error": "must be an object"}]},
    "functionEventImportResult": {"createdAmount": 1, "failedAmount": 2, "failedFunctionEvents": [
      {"functionEvent": "d", "error": "must be an object with fields, is the number 1"},
      {"functionEvent": "e", "error": "its function \"g\" could not be imported"}]},
    "apiGatewayImportResult": {"createdAmount": 0, "failedAmount": 1, "failedAPIGateways": [
      {"apiGateway": "w", "error": "must be an object with fields, is the number 3"}]}})"));
  const std::string empty = R"({"project": {"metadata": {"name": "p"}}})";
  const json::value nothing = json::parse(call("POST", "/api/projects?import=true", empty).body);
  EXPECT_EQ(nothing.at("functionEventImportResult"),
            json::parse(R"({"createdAmount": 0, "failedAmount": 0, "failedFunctionEvents": null})"));
}

TEST_F(RestApi, ExportsAProjectWithItsFunctionsAndTheirEvents) {
  platform_.known_events["other"] = platform_.known_events["e"];
  platform_.known_events["other"].metadata.name = "other";
  platform_.known_events["other"].metadata.labels["nuclio.io/function-name"] = "of-another-project";
  auto exported = json::parse(call("GET", "/api/projects/default?export=true").body);
  EXPECT_EQ(exported.at("project").at("metadata").at("name"), "default");
  EXPECT_EQ(exported.at("functions").at("f").at("metadata").at("annotations").at("skip-deploy"), "true");
  EXPECT_EQ(exported.at("functionEvents"), json::parse(R"({"e": {
    "metadata": {"name": "e", "labels": {"nuclio.io/function-name": "f"}}, "spec": {"displayName": "an order"}}})"));
}

TEST_F(RestApi, MovesGatewaysWithTheirProject) {
  spec::ApiGateway gateway;
  gateway.metadata.name = "w";
  gateway.metadata.namespace_name = "nuclio";
  gateway.metadata.resource_version = "7";
  gateway.spec.host = "h";
  gateway.status.state = "ready";
  platform_.known_gateways["w"] = gateway;
  auto exported = json::parse(call("GET", "/api/projects/default?export=true").body);
  EXPECT_EQ(exported.at("apiGateways"), json::parse(R"({"w": {"metadata": {"name": "w"}, "spec": {"host": "h"}}})"));
  auto answer = call("POST", "/api/projects?import=true",
                     R"({"project": {"metadata": {"name": "p"}}, "apiGateways": {"w": {"spec": {"host": "h"}}}})");
  EXPECT_EQ(json::parse(answer.body).at("apiGatewayImportResult").at("createdAmount"), 1);
  EXPECT_EQ(platform_.asked, R"(create gateway {"metadata":{"name":"w","namespace":"nuclio",)"
                             R"("labels":{"nuclio.io/project-name":"p"}},"spec":{"host":"h"}})");
}

TEST_F(RestApi, SaysWhichGatewaysLeadToAFunction) {
  for (const char* name : {"w", "v", "other"}) {
    spec::ApiGateway& gateway = platform_.known_gateways[name];
    gateway.metadata.name = name;
    gateway.spec.upstreams.push_back({.function = {gateway.metadata.name == "other" ? "stopped" : "f"}});
  }
  const Pairs enriched{{"X-Nuclio-Function-Enrich-Apigateways", "true"}};
  const json::value all = json::parse(call("GET", "/api/functions", "", enriched).body);
  EXPECT_EQ(all.at("f").at("status").at("apiGateways"), (json::array{"v", "w"}));
  EXPECT_EQ(all.at("stopped").at("status").at("apiGateways"), (json::array{"other"}));
  const json::value one = json::parse(call("GET", "/api/functions/f", "", enriched).body);
  EXPECT_EQ(one.at("status").at("apiGateways"), (json::array{"v", "w"}));
  EXPECT_FALSE(json::parse(call("GET", "/api/functions/f").body).at("status").as_object().contains("apiGateways"));
}

TEST_F(RestApi, NamesEventsThatHaveNoName) {
  const std::string nameless = R"({"metadata":{"labels":{"nuclio.io/function-name":"f"}}})";
  auto answer = call("POST", "/api/function_events", nameless);
  EXPECT_EQ(answer.status, 201);
  const std::string name{json::parse(answer.body).at("metadata").at("name").as_string()};
  EXPECT_THAT(name, MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_THAT(platform_.asked, HasSubstr("create event {\"metadata\":{\"name\":\"" + name));
  const json::value another = json::parse(call("POST", "/api/function_events", nameless).body);
  EXPECT_NE(another.at("metadata").at("name"), json::value(name));
}

TEST_F(RestApi, ShowsFunctionEvents) {
  const json::value event = json::parse(call("GET", "/api/function_events/e").body);
  EXPECT_EQ(event.at("spec").at("displayName"), "an order");
  EXPECT_EQ(json::parse(call("GET", "/api/function_events").body), (json::object{{"e", event}}));
  EXPECT_EQ(call("GET", "/api/function_events/none").status, 404);
}

TEST_F(RestApi, SaysWhatItIs) {
  const json::value versions = json::parse(call("GET", "/api/versions/").body).at("dashboard");
  EXPECT_EQ(versions.at("label"), "1.14.1") << "Nuclio's clients compare it with versions of Nuclio";
  EXPECT_EQ(versions.at("implementationVersion"), json::string_view(kVersion.data(), kVersion.size()));
  EXPECT_EQ(call("GET", "/api/namespaces").body, R"({"namespaces":{"names":["nuclio"]}})");
  EXPECT_EQ(call("GET", "/api/external_ip_addresses").body, R"({"externalIPAddresses":{"addresses":["127.0.0.1"]}})");
  EXPECT_EQ(json::parse(call("GET", "/api/frontend_spec").body).at("platformKind"), "local");
}

TEST_F(RestApi, ListsItsCallsForWhoeverLooksWithABrowser) {
  for (const char* path : {"/api", "/api/"}) {
    auto answer = call("GET", path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_THAT(answer.body, HasSubstr("PATCH   /api/functions/{id}"));
  }
}

TEST_F(RestApi, KeepsPagesFromElsewhereOut) {
  const std::string f = R"({"metadata":{"name":"f"}})";
  std::string own = server_.addresses()[0].text();
  EXPECT_EQ(call("POST", "/api/functions", f, {{"Origin", "http://" + own}}).status, 202);
  for (const char* origin : {"http://evil.example", "http://127.0.0.1:1", "null"})
    EXPECT_EQ(call("POST", "/api/functions", f, {{"Origin", origin}}).status, 403) << origin;
  EXPECT_EQ(call("GET", "/api/functions", "", {{"Host", "evil.example:8070"}}).status, 403);
  EXPECT_EQ(call("GET", "/api/functions", "", {{"Host", "localhost:8070"}}).status, 200);
}

}  // namespace
}  // namespace nuclio::dashboard
