// SPDX-License-Identifier: Apache-2.0
#include "processor/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "loop/run.h"
#include "processor/fake_handler.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

Result<Response> answer(int status, std::chrono::nanoseconds duration = 1ms) {
  Response response;
  response.status = status;
  response.duration = duration;
  return response;
}

class MetricsTest : public testing::Test {
 protected:
  MetricsTest() { metrics_.add(http_.get()); }

  // The value behind this name and these labels of ours, without those that all have.
  std::string value(const std::string& name, const std::string& more = "") {
    std::string key = "nuclio_processor_" + name +
                      "{instance=\"i-1\",trigger_kind=\"http\",trigger_id=\"web\",namespace=\"ns\",function=\"fn\","
                      "project=\"default\"" +
                      more + "} ";
    std::string text = metrics_.text();
    std::size_t at = text.find(key);
    if (at == std::string::npos) return "not there";
    at += key.size();
    return text.substr(at, text.find('\n', at) - at);
  }

  Loop loop_;
  FakeSource http_{loop_, "http", "web", 2};
  Metrics metrics_{{"i-1", "ns", "fn", "default"}};
};

TEST_F(MetricsTest, CountsEventsByWhatBecameOfThem) {
  Response raised;
  raised.failure = HandlerFailure{"it broke", ""};
  raised.status = 418;
  metrics_.handled(http_.get(), WorkerIndex{0}, answer(200));
  metrics_.handled(http_.get(), WorkerIndex{0}, answer(404));
  metrics_.handled(http_.get(), WorkerIndex{0}, answer(500));
  metrics_.handled(http_.get(), WorkerIndex{0}, Result<Response>{std::move(raised)});
  metrics_.handled(http_.get(), WorkerIndex{0}, fail(Why::timeout, "too long"));
  metrics_.refused(http_.get());
  EXPECT_EQ(value("handled_events_total", ",result=\"success\""), "2");
  EXPECT_EQ(value("handled_events_total", ",result=\"failure\""), "4");
}

TEST_F(MetricsTest, AddsUpTheHandlersTimeByWorker) {
  metrics_.handled(http_.get(), WorkerIndex{0}, answer(200, 1500us));
  metrics_.handled(http_.get(), WorkerIndex{1}, answer(200, 20ms));
  metrics_.handled(http_.get(), WorkerIndex{1}, answer(500, 20ms));
  metrics_.handled(http_.get(), WorkerIndex{1}, fail(Why::unavailable, "died"));
  EXPECT_EQ(value("handled_events_duration_milliseconds_sum", ",worker_index=\"0\""), "1.5");
  EXPECT_EQ(value("handled_events_duration_milliseconds_sum", ",worker_index=\"1\""), "40");
  EXPECT_EQ(value("handled_events_duration_milliseconds_count", ",worker_index=\"1\""), "2");
  EXPECT_EQ(value("handled_events_duration_seconds_count"), "3");
  EXPECT_EQ(value("handled_events_duration_seconds_sum"), "0.0415");
  EXPECT_EQ(value("handled_events_duration_seconds_bucket", ",le=\"0.0025\""), "1");
  EXPECT_EQ(value("handled_events_duration_seconds_bucket", ",le=\"0.025\""), "3");
  EXPECT_EQ(value("handled_events_duration_seconds_bucket", ",le=\"+Inf\""), "3");
}

TEST_F(MetricsTest, ShowsWorkersThatHaveNotWorkedYet) {
  EXPECT_EQ(value("handled_events_duration_milliseconds_count", ",worker_index=\"1\""), "0");
  EXPECT_EQ(value("handled_events_duration_milliseconds_count", ",worker_index=\"2\""), "not there");
}

TEST_F(MetricsTest, ReadsThePoolsOwnCounts) {
  http_.get().allocations = {.immediate = 5, .after_wait = 2, .timed_out = 1, .wait = 2500ms, .available_percent = 350};
  EXPECT_EQ(value("worker_allocation_total", ",result=\"success_immediate\""), "5");
  EXPECT_EQ(value("worker_allocation_total", ",result=\"success_after_wait\""), "2");
  EXPECT_EQ(value("worker_allocation_total", ",result=\"error_timeout\""), "1");
  EXPECT_EQ(value("worker_allocation_count"), "8");
  EXPECT_EQ(value("worker_allocation_wait_duration_milliseconds_sum"), "2500");
  EXPECT_EQ(value("worker_allocation_workers_available_percentage"), "350");
  EXPECT_EQ(value("worker_pending_allocation_current"), "0");
  EXPECT_EQ(value("workers"), "2");
  EXPECT_EQ(value("worker_restarts_total"), "0");
}

TEST_F(MetricsTest, KnowsHowLongEventsWaitedAndWhichAreInFlight) {
  metrics_.waited(http_.get(), 0ns);
  metrics_.waited(http_.get(), 700ms);
  EXPECT_EQ(value("worker_queue_wait_seconds_sum"), "0.7");
  EXPECT_EQ(value("worker_queue_wait_seconds_bucket", ",le=\"0.0001\""), "1");
  {
    auto one = metrics_.begin(http_.get());
    auto two = metrics_.begin(http_.get());
    EXPECT_EQ(value("events_in_flight"), "2");
  }
  EXPECT_EQ(value("events_in_flight"), "0");
}

TEST_F(MetricsTest, CountsAnswersByStatus) {
  metrics_.answered(http_.get(), 200);
  metrics_.answered(http_.get(), 200);
  metrics_.answered(http_.get(), 503);
  EXPECT_EQ(value("http_responses_total", ",code=\"200\""), "2");
  EXPECT_EQ(value("http_responses_total", ",code=\"503\""), "1");
}

TEST_F(MetricsTest, KeepsTriggersApart) {
  FakeSource cron{loop_, "cron", "tick"};
  metrics_.add(cron.get());
  metrics_.handled(cron.get(), WorkerIndex{0}, answer(200));
  EXPECT_EQ(value("handled_events_total", ",result=\"success\""), "0");
  EXPECT_THAT(metrics_.text(), HasSubstr("trigger_kind=\"cron\",trigger_id=\"tick\""));
  EXPECT_EQ(metrics_.counts("tick")->succeeded, 1u);
  EXPECT_EQ(metrics_.counts("other"), nullptr);
}

TEST_F(MetricsTest, SaysWhichNumbersAreCounters) {
  EXPECT_THAT(metrics_.text(), HasSubstr("# TYPE nuclio_processor_handled_events_total counter"));
  EXPECT_THAT(metrics_.text(), HasSubstr("# TYPE nuclio_processor_handled_events_duration_seconds histogram"));
  EXPECT_THAT(metrics_.text(), HasSubstr("# TYPE nuclio_processor_events_in_flight gauge"));
  EXPECT_THAT(metrics_.text(), Not(HasSubstr("http_responses_total")));
}

TEST_F(MetricsTest, IsReadOverHttp) {
  http::Router routes = metrics_routes(metrics_);
  http::Request request;
  request.method = "GET";
  request.target = request.path = "/metrics";
  auto response = run_until_done(loop_, routes.handle(request));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(std::get<std::string>(response.body), metrics_.text());
}

spec::MetricSink pull(std::string url, std::optional<bool> enabled = {}) {
  spec::MetricSink sink;
  sink.url = std::move(url);
  sink.enabled = enabled;
  return sink;
}

TEST(MetricsListener, IsOnByDefault) { EXPECT_EQ(metrics_listener({})->address, ":8090"); }

TEST(MetricsListener, FollowsTheSinksOfFunctions) {
  spec::MetricsConfig config;
  config.sinks["a"] = pull("127.0.0.1:1000");
  config.sinks["b"] = pull("");
  config.sinks["b"].attributes["instanceName"] = "mine";
  EXPECT_EQ(metrics_listener(config)->address, "127.0.0.1:1000");
  config.functions = {"b"};
  EXPECT_EQ(metrics_listener(config)->address, ":8090");
  EXPECT_EQ(metrics_listener(config)->instance_name, "mine");
  config.functions = {"c"};
  EXPECT_FALSE(metrics_listener(config));
}

TEST(MetricsListener, IsOffWhenNoSinkIsPulledFrom) {
  spec::MetricsConfig config;
  config.sinks["off"] = pull(":1", false);
  config.sinks["push"].kind = spec::MetricSinkKind::prometheus_push;
  EXPECT_FALSE(metrics_listener(config));
}

TEST(InstanceName, IsTheSinksThenTheEnvironmentsThenTheFunctions) {
  EXPECT_EQ(instance_name("sink", "env", "ns", "fn"), "sink");
  EXPECT_EQ(instance_name("", "env", "ns", "fn"), "env");
  EXPECT_EQ(instance_name("", "", "ns", "fn"), "ns-fn");
}

}  // namespace
}  // namespace nuclio::processor
