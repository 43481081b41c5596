// SPDX-License-Identifier: Apache-2.0
#include "processor/web_admin.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "loop/run.h"
#include "processor/fake_handler.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

class WebAdminTest : public testing::Test {
 protected:
  WebAdminTest() {
    spec::Trigger web;
    web.name = "web";
    web.num_workers = 3;
    web.password = "hunter2";
    web.secret = "s3cret";
    function_.spec.triggers["web"] = web;
    spec::Trigger tick;
    tick.name = "tick";
    tick.kind = spec::CronTrigger{.schedule = "@every 5s"};
    function_.spec.triggers["tick"] = tick;
    metrics_.add(web_.get());
  }

  http::Response get(std::string_view path) {
    http::Request request;
    request.method = "GET";
    request.target = request.path = path;
    return run_until_done(loop_, admin_.handle(request));
  }
  json::value read(std::string_view path) { return json::parse(std::get<std::string>(get(path).body)); }

  Task<TriggerReports> report() { co_return metrics_.report(); }

  Loop loop_;
  FakeSource web_{loop_, "http", "web", 3};
  Metrics metrics_;
  spec::FunctionConfig function_;
  WebAdmin admin_{function_, [this] { return report(); }};
};

TEST_F(WebAdminTest, ListsTheTriggersByName) {
  auto triggers = read("/triggers").as_object();
  EXPECT_EQ(triggers.size(), 2u);
  EXPECT_EQ(triggers.at("web").at("kind"), "http");
  EXPECT_EQ(triggers.at("web").at("numWorkers"), 3);
  EXPECT_EQ(triggers.at("tick").at("attributes").at("schedule"), "@every 5s");
}

TEST_F(WebAdminTest, ShowsOneTrigger) { EXPECT_EQ(read("/triggers/tick").at("kind"), "cron"); }

TEST_F(WebAdminTest, ShowsNoSecrets) {
  for (const char* path : {"/triggers", "/triggers/web"}) {
    auto text = std::get<std::string>(get(path).body);
    EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
    EXPECT_EQ(text.find("s3cret"), std::string::npos) << text;
    EXPECT_NE(text.find("********"), std::string::npos) << text;
  }
}

TEST_F(WebAdminTest, ShowsTrueStatistics) {
  Response response;
  response.duration = 250ms;
  metrics_.handled(web_.get(), WorkerIndex{0}, Result<Response>{std::move(response)});
  metrics_.refused(web_.get());
  web_.get().allocations = {.immediate = 1, .timed_out = 1, .wait = 40ms};
  auto statistics = read("/triggers/web/stats");
  EXPECT_EQ(statistics.at("handledEvents").at("success"), 1);
  EXPECT_EQ(statistics.at("handledEvents").at("failure"), 1);
  EXPECT_EQ(statistics.at("handledEvents").at("durationMilliseconds"), 250.0);
  EXPECT_EQ(statistics.at("workerAllocation").at("count"), 2);
  EXPECT_EQ(statistics.at("workerAllocation").at("errorTimeout"), 1);
  EXPECT_EQ(statistics.at("workerAllocation").at("waitDurationMilliseconds"), 40.0);
  EXPECT_EQ(statistics.at("workers").at("count"), 3);
}

TEST_F(WebAdminTest, SaysWhichTriggerItDoesNotKnow) {
  for (const char* path : {"/triggers/other", "/triggers/other/stats"}) {
    auto response = get(path);
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(std::get<std::string>(response.body),
              R"({"error": "there is no trigger \"other\"; GET /triggers lists them", "errorStackTrace": ""})");
  }
}

}  // namespace
}  // namespace nuclio::processor
