// SPDX-License-Identifier: Apache-2.0
#include "processor/exposition.h"

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

class ExpositionTest : public testing::Test {
 protected:
  ExpositionTest() { metrics_.add(http_.get()); }

  std::string text() const { return exposition({"i-1", "ns", "fn", "default"}, metrics_.report(), memory_); }

  Task<TriggerReports> report() { co_return metrics_.report(); }
  Task<std::optional<Bytes>> memory() { co_return memory_; }

  // The value behind this name and these labels of ours, without those that all have.
  std::string value(const std::string& name, const std::string& more = "") {
    std::string key = "nuclio_processor_" + name +
                      "{instance=\"i-1\",trigger_kind=\"http\",trigger_id=\"web\",namespace=\"ns\",function=\"fn\","
                      "project=\"default\"" +
                      more + "} ";
    std::string all = text();
    std::size_t at = all.find(key);
    if (at == std::string::npos) return "not there";
    at += key.size();
    return all.substr(at, all.find('\n', at) - at);
  }

  Loop loop_;
  FakeSource http_{loop_, "http", "web", 2};
  Metrics metrics_;
  std::optional<Bytes> memory_;
};

TEST_F(ExpositionTest, CountsEventsByWhatBecameOfThem) {
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

TEST_F(ExpositionTest, AddsUpTheHandlersTimeByWorker) {
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

TEST_F(ExpositionTest, ShowsWorkersThatHaveNotWorkedYet) {
  EXPECT_EQ(value("handled_events_duration_milliseconds_count", ",worker_index=\"1\""), "0");
  EXPECT_EQ(value("handled_events_duration_milliseconds_count", ",worker_index=\"2\""), "not there");
}

TEST_F(ExpositionTest, ReadsThePoolsOwnCounts) {
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

TEST_F(ExpositionTest, KnowsHowLongEventsWaitedAndWhichAreInFlight) {
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

TEST_F(ExpositionTest, CountsAnswersByStatus) {
  metrics_.answered(http_.get(), 200);
  metrics_.answered(http_.get(), 200);
  metrics_.answered(http_.get(), 503);
  EXPECT_EQ(value("http_responses_total", ",code=\"200\""), "2");
  EXPECT_EQ(value("http_responses_total", ",code=\"503\""), "1");
}

TEST_F(ExpositionTest, KeepsTriggersApart) {
  FakeSource cron{loop_, "cron", "tick"};
  metrics_.add(cron.get());
  metrics_.handled(cron.get(), WorkerIndex{0}, answer(200));
  EXPECT_EQ(value("handled_events_total", ",result=\"success\""), "0");
  EXPECT_THAT(text(), HasSubstr("trigger_kind=\"cron\",trigger_id=\"tick\""));
  EXPECT_THAT(
      text(),
      HasSubstr("trigger_id=\"tick\",namespace=\"ns\",function=\"fn\",project=\"default\",result=\"success\"} 1"));
}

TEST_F(ExpositionTest, AddsUpWhatSeveralLoopsReport) {
  Metrics other;
  FakeSource there{loop_, "http", "web", 3};
  FakeSource cron{loop_, "cron", "tick"};
  other.add(there.get());
  other.add(cron.get());
  metrics_.handled(http_.get(), WorkerIndex{0}, answer(200, 20ms));
  metrics_.answered(http_.get(), 200);
  other.handled(there.get(), WorkerIndex{2}, answer(200, 30ms));
  other.handled(there.get(), WorkerIndex{2}, answer(500, 30ms));
  other.answered(there.get(), 200);
  other.answered(there.get(), 500);
  other.waited(there.get(), 10ms);
  http_.get().allocations = {.immediate = 5, .after_wait = 2, .timed_out = 1, .wait = 2s, .available_percent = 300};
  there.get().allocations = {.immediate = 1, .after_wait = 2, .timed_out = 3, .wait = 1s, .available_percent = 50};

  TriggerReports sum = metrics_.report();
  add_up(sum, other.report());
  ASSERT_EQ(sum.size(), 2u);
  EXPECT_EQ(sum[1].name, "tick");
  const TriggerReport& web = sum[0];
  EXPECT_EQ(web.counts.succeeded, 2u);
  EXPECT_EQ(web.counts.failed, 1u);
  EXPECT_EQ(web.counts.handling.count(), 3u);
  EXPECT_EQ(web.counts.handling.sum(), 80ms);
  EXPECT_EQ(web.counts.queue_wait.count(), 1u);
  EXPECT_EQ(web.counts.http_responses, (std::map<int, std::uint64_t>{{200, 2}, {500, 1}}));
  ASSERT_EQ(web.counts.workers.size(), 3u);
  EXPECT_EQ(web.counts.workers[0].events, 1u);
  EXPECT_EQ(web.counts.workers[2].events, 2u);
  EXPECT_EQ(web.allocations.total(), 14u);
  EXPECT_EQ(web.allocations.wait, 3s);
  EXPECT_EQ(web.workers, 5u);
}

TEST_F(ExpositionTest, SaysWhichNumbersAreCounters) {
  EXPECT_THAT(text(), HasSubstr("# TYPE nuclio_processor_handled_events_total counter"));
  EXPECT_THAT(text(), HasSubstr("# TYPE nuclio_processor_handled_events_duration_seconds histogram"));
  EXPECT_THAT(text(), HasSubstr("# TYPE nuclio_processor_events_in_flight gauge"));
  EXPECT_THAT(text(), Not(HasSubstr("http_responses_total")));
}

TEST_F(ExpositionTest, TellsTheMemoryOfAllTriggersTogetherWhereItIsKnown) {
  EXPECT_THAT(text(), Not(HasSubstr("memory_bytes")));
  memory_ = Bytes{48 << 20};
  EXPECT_THAT(text(), HasSubstr("nuclio_processor_memory_bytes{instance=\"i-1\",namespace=\"ns\",function=\"fn\","
                                "project=\"default\"} 50331648\n"));
}

TEST_F(ExpositionTest, IsReadOverHttp) {
  memory_ = Bytes{1};
  http::Router routes =
      metrics_routes({"i-1", "ns", "fn", "default"}, [this] { return report(); }, [this] { return memory(); });
  http::Request request;
  request.method = "GET";
  request.target = request.path = "/metrics";
  auto response = run_until_done(loop_, routes.handle(request));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(std::get<std::string>(response.body), text());
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
