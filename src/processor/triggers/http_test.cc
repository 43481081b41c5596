// SPDX-License-Identifier: Apache-2.0
#include "processor/triggers/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/test_server.h"
#include "loop/manual_clock.h"
#include "processor/fake_handler.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;
using http::Peer;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpTriggerTest : public testing::Test {
 protected:
  HttpTriggerTest() {
    ignore_broken_pipes();
    metrics_.add(source_.get());
    config_.url = "127.0.0.1:0";
    handler_.answer = [](const Event& event) -> Result<Response> {
      Response response;
      response.content_type = "text/x";
      response.body = "re: " + std::string{event.body};
      return response;
    };
  }

  void start(Descriptor listener = {}) {
    make(std::move(listener));
    auto started = run_until_done(loop_, trigger_->start());
    ASSERT_TRUE(started) << started.error().what;
  }
  void make(Descriptor listener = {}) {
    const std::chrono::milliseconds no_pause{0};
    TriggerContext context{loop_,     clock_,   handler_, source_.get(),      metrics_,
                           settings_, no_pause, expose_,  std::move(listener)};
    trigger_ = std::make_unique<HttpTrigger>(config_, http_, std::move(context));
  }
  int port() const { return parse_address(trigger_->address())->port; }

  // Sends one request on a connection of its own and gives all that comes back.
  Task<std::string> exchange_task(std::string request) {
    Peer peer{loop_, port()};
    co_await peer.send(std::move(request));
    co_return co_await peer.read_to_end();
  }
  std::string exchange(std::string request) { return run_until_done(loop_, exchange_task(std::move(request))); }
  static std::string request(std::string line, std::string headers = "", std::string body = "") {
    return line + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  Task<void> keep(std::string request, std::vector<std::string>& answers) {
    answers.push_back(co_await exchange_task(std::move(request)));
  }
  Task<bool> settled() {
    co_await http::settle(loop_);
    co_return true;
  }
  Task<bool> empty(Group& group) { co_return co_await group.empty(Deadline::in(10s)); }
  Task<bool> drained(Deadline deadline) {
    co_await trigger_->stop_accepting(deadline);
    co_await trigger_->drain(deadline);
    co_return true;
  }

  Loop loop_;
  ManualClock clock_{loop_, SystemTime{}};
  FakeSource source_{loop_, "http", "web"};
  FakeHandler handler_{loop_};
  Metrics metrics_;
  spec::ProcessorConfig settings_;
  ExposeErrors expose_ = ExposeErrors::yes;
  spec::Trigger config_;
  spec::HttpTrigger http_;
  std::unique_ptr<HttpTrigger> trigger_;
};

TEST_F(HttpTriggerTest, MakesAnEventOfARequestAndAnAnswerOfTheResponse) {
  start();
  auto answer = exchange(request("POST /a%20b?x=1", "x-one: 1\r\nContent-Type: text/y\r\n", "body"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nServer: nuclio\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nre: body"));
  const SeenEvent& event = handler_.events.at(0);
  EXPECT_EQ(event.method, "POST");
  EXPECT_EQ(event.path, "/a b");
  EXPECT_EQ(event.url, "/a%20b?x=1");
  EXPECT_EQ(event.content_type, "text/y");
  EXPECT_EQ(event.trigger_kind, "http");
  EXPECT_EQ(event.trigger_name, "web");
  EXPECT_EQ(event.fields, (std::vector<std::pair<std::string, std::string>>{{"x", "1"}}));
  EXPECT_THAT(event.headers, testing::Contains(std::pair<std::string, std::string>{"X-One", "1"}));
  EXPECT_FALSE(handler_.calls.at(0).ship_logs);
}

TEST_F(HttpTriggerTest, HandsOnEveryMethod) {
  start();
  for (const char* method : {"GET", "DELETE", "OPTIONS", "TRACE", "BREW"})
    exchange(request(std::string{method} + " /"));
  ASSERT_EQ(handler_.events.size(), 5u);
  EXPECT_EQ(handler_.events[4].method, "BREW");
}

TEST_F(HttpTriggerTest, AnswersHeadWithTheLengthAlone) {
  start();
  auto answer = exchange(request("HEAD /", "", "1234"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpTriggerTest, AnswersHealthChecksBeforeAnyWorker) {
  handler_.close();
  start();
  for (const char* path : {"/__internal/health", "/__internal/health/x", "/__internal/healthy?a"})
    EXPECT_THAT(exchange(request("GET " + std::string{path})), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(handler_.events.empty());
}

TEST_F(HttpTriggerTest, SaysHowAnEventFailed) {
  start();
  handler_.answer = [](const Event&) -> Result<Response> { return fail(Why::busy, "no worker"); };
  auto busy = exchange(request("GET /"));
  EXPECT_THAT(busy, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(busy, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(busy, HasSubstr("Content-Length: 0\r\n"));
  handler_.answer = [](const Event&) -> Result<Response> { return fail(Why::timeout, "too long"); };
  auto late = exchange(request("GET /"));
  EXPECT_THAT(late, StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(late, EndsWith("{\"error\": \"handler timed out\"}"));
  handler_.answer = [](const Event&) -> Result<Response> { return fail(Why::unavailable, "worker 3 ended"); };
  auto dead = exchange(request("GET /"));
  EXPECT_THAT(dead, StartsWith("HTTP/1.1 502 "));
  EXPECT_THAT(dead, EndsWith("worker 3 ended"));
}

TEST_F(HttpTriggerTest, HidesFailuresFromClientsUnlessItMayShowThem) {
  expose_ = ExposeErrors::no;
  start();
  handler_.answer = [](const Event&) -> Result<Response> {
    Response response;
    response.status = 500;
    response.failure = HandlerFailure{"secret", "traceback"};
    return response;
  };
  auto answer = exchange(request("GET /"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, EndsWith("the function failed; its log says more"));
}

TEST_F(HttpTriggerTest, KeepsTheLimitsOfItsSpec) {
  http_.max_request_body_size = Bytes{10};
  http_.read_buffer_size = Bytes{300};
  start();
  EXPECT_THAT(exchange(request("POST /", "", "0123456789")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(exchange(request("POST /", "", "0123456789a")), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(exchange(request("GET /", "X: " + std::string(300, 'x') + "\r\n")), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpTriggerTest, KeepsTheLimitsOfThePlatformWhereItsSpecSaysNothing) {
  settings_.http.max_header_bytes = Bytes{400};
  settings_.http.max_headers = 4;
  settings_.http.max_target_bytes = Bytes{20};
  settings_.http.max_body_bytes = Bytes{10};
  settings_.http.header_timeout_milliseconds = 30;
  settings_.http.idle_timeout_milliseconds = 30;
  settings_.http.body_grace_milliseconds = 30;
  http_.max_request_body_size = Bytes{0};  // Nuclio's word for the default
  start();
  EXPECT_THAT(exchange(request("POST /", "", "0123456789")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(exchange(request("POST /", "", "0123456789a")), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(exchange(request("GET /", "X: " + std::string(400, 'x') + "\r\n")), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(exchange(request("GET /", "A: 1\r\nB: 2\r\n")), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(exchange(request("GET /" + std::string(20, 'x'))), StartsWith("HTTP/1.1 414 "));
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: h\r\n"), HasSubstr("the headers did not arrive in time"));
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel"),
              HasSubstr("the body did not arrive in time"));
  EXPECT_EQ(exchange(""), "");
  EXPECT_EQ(handler_.calls.size(), 1u);
}

TEST_F(HttpTriggerTest, GivesTheEventsDeadlineToTheCall) {
  handler_.deadline = Deadline::in(1h);
  start();
  exchange(request("GET /"));
  EXPECT_EQ(handler_.calls.at(0).deadline, handler_.deadline);
}

TEST_F(HttpTriggerTest, ShipsLogLinesToClientsThatAsk) {
  handler_.answer = [](const Event&) -> Result<Response> {
    Response response;
    response.logs.push_back({SystemTime{1s}, log::Level::warn, "look", R"({"n": 1})"});
    return response;
  };
  start();
  auto answer = exchange(request("GET /", "X-Nuclio-Log-Level: warn\r\n"));
  EXPECT_EQ(handler_.calls.at(0).ship_logs, log::Level::warn);
  EXPECT_THAT(answer, HasSubstr("X-Nuclio-Logs: [{\"level\": \"warn\", \"time\": 1000.000, \"name\": "
                                "\"processor.http\", \"message\": \"look\", \"n\": 1}]\r\n"));
  EXPECT_THAT(exchange(request("GET /")), Not(HasSubstr("X-Nuclio-Logs")));
  EXPECT_THAT(exchange(request("GET /", "X-Nuclio-Log-Level: loud\r\n")), Not(HasSubstr("X-Nuclio-Logs")));
}

TEST_F(HttpTriggerTest, SaysWhereTheTimeWentToClientsThatAskForLogLines) {
  handler_.answer = [](const Event&) -> Result<Response> {
    Response response;
    response.waited = 12us;
    response.duration = 3456us;
    return response;
  };
  start();
  EXPECT_THAT(exchange(request("GET /", "X-Nuclio-Log-Level: debug\r\n")),
              HasSubstr("Server-Timing: queue;dur=0.012, handler;dur=3.456\r\n"));
  EXPECT_THAT(exchange(request("GET /")), Not(HasSubstr("Server-Timing")));
}

TEST_F(HttpTriggerTest, RefusesABadCloudEvent) {
  start();
  auto answer = exchange(request("POST /", "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: s\r\n", "x"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer, HasSubstr(R"({"error": "bad CloudEvent: ce-type is missing or empty")"));
  EXPECT_TRUE(handler_.events.empty());
}

struct CorsCase {
  const char* what;
  const char* request;
  const char* headers;
  int status;
  std::size_t handled;
  const char* allow_origin;
};

TEST_F(HttpTriggerTest, AnswersPreflightsAndMarksWhatPagesMayRead) {
  http_.cors.emplace();
  http_.cors->enabled = true;
  http_.cors->allow_origins = {"https://a.example"};
  const CorsCase table[] = {
      {"a preflight", "OPTIONS /", "Origin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\n", 200, 0,
       "https://a.example"},
      {"a preflight of another origin", "OPTIONS /",
       "Origin: https://b.example\r\nAccess-Control-Request-Method: PUT\r\n", 400, 0, ""},
      {"an allowed origin", "GET /", "Origin: https://a.example\r\n", 200, 1, "https://a.example"},
      {"another origin", "GET /", "Origin: https://b.example\r\n", 200, 1, ""},
      {"no origin", "GET /", "", 200, 1, ""},
      {"OPTIONS that is no preflight", "OPTIONS /", "Origin: https://a.example\r\n", 200, 1, "https://a.example"},
      {"a bad CloudEvent", "POST /", "Origin: https://a.example\r\nce-specversion: 9\r\n", 400, 0, "https://a.example"},
  };
  start();
  for (const CorsCase& row : table) {
    handler_.events.clear();
    auto answer = exchange(request(row.request, row.headers));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(row.status))) << row.what;
    EXPECT_EQ(handler_.events.size(), row.handled) << row.what;
    std::string field = "Access-Control-Allow-Origin: ";
    if (*row.allow_origin) {
      EXPECT_THAT(answer, HasSubstr(field + row.allow_origin + "\r\n")) << row.what;
    } else {
      EXPECT_THAT(answer, Not(HasSubstr(field))) << row.what;
    }
  }
}

TEST_F(HttpTriggerTest, KnowsNothingOfOriginsWithoutCors) {
  http_.cors.emplace();  // but not enabled
  start();
  auto answer = exchange(request("OPTIONS /", "Origin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\n"));
  EXPECT_EQ(handler_.events.size(), 1u);
  EXPECT_THAT(answer, Not(HasSubstr("Access-Control")));
  EXPECT_THAT(answer, Not(HasSubstr("Vary")));
}

TEST_F(HttpTriggerTest, BatchesEventsWhenItIsTo) {
  config_.batch = {spec::BatchMode::enable, 4, 20ms};
  start();
  std::vector<std::string> answers;
  Group group{loop_};
  for (int i = 0; i < 5; ++i) group.spawn(keep(request("POST /", "", std::to_string(i)), answers));
  ASSERT_TRUE(run_until_done(loop_, empty(group)));
  EXPECT_EQ(handler_.batches, (std::vector<std::size_t>{4, 1}));
  std::ranges::sort(answers, {}, [](const std::string& answer) { return answer.back(); });
  for (int i = 0; i < 5; ++i) EXPECT_THAT(answers[i], EndsWith("re: " + std::to_string(i)));
}

TEST_F(HttpTriggerTest, LetsNoEventWaitForItsBatchWhenItIsDrained) {
  config_.batch = {spec::BatchMode::enable, 4, 1h};
  start();
  std::vector<std::string> answers;
  Group group{loop_};
  group.spawn(keep(request("POST /", "", "last"), answers));
  run_until_done(loop_, settled());
  EXPECT_TRUE(handler_.batches.empty());
  run_until_done(loop_, drained(Deadline::in(10s)));
  ASSERT_TRUE(run_until_done(loop_, empty(group)));
  EXPECT_THAT(answers.at(0), EndsWith("re: last"));
}

TEST_F(HttpTriggerTest, CancelsTheCallsThatAreLeftAtTheDeadlineOfADrain) {
  handler_.close();
  for (bool batched : {false, true}) {
    config_.batch = {batched ? spec::BatchMode::enable : spec::BatchMode::disable, 1, 1h};
    start();
    std::vector<std::string> answers;
    Group group{loop_};
    group.spawn(keep(request("GET /"), answers));
    handler_.events.clear();
    run_until_done(loop_, handler_.came(1));
    run_until_done(loop_, drained(Deadline::in(1ms)));
    ASSERT_TRUE(run_until_done(loop_, empty(group)));
    EXPECT_EQ(answers.at(0), "");
    EXPECT_EQ(handler_.given_up, batched ? 2 : 1);
  }
}

TEST_F(HttpTriggerTest, TakesOverAListenerThatIsThere) {
  auto listener = Listener::open(*parse_address("127.0.0.1:0"));
  ASSERT_TRUE(listener);
  config_.url = "256.0.0.1:1";  // not to be looked at
  start(std::move(*listener));
  EXPECT_THAT(exchange(request("GET /", "", "x")), EndsWith("re: x"));
}

TEST_F(HttpTriggerTest, SaysWhereItCannotListen) {
  auto taken = Listener::listen(loop_, *parse_address("127.0.0.1:0"));
  ASSERT_TRUE(taken);
  config_.url = taken->address().text();
  make();
  EXPECT_EQ(trigger_->address(), "");
  auto started = run_until_done(loop_, trigger_->start());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().why, Why::conflict);
  EXPECT_THAT(started.error().what, StartsWith("trigger web: "));
  EXPECT_THAT(started.error().what, HasSubstr(config_.url));
  run_until_done(loop_, drained(Deadline::never()));
}

TEST_F(HttpTriggerTest, CountsItsAnswersByStatus) {
  start();
  exchange(request("GET /"));
  exchange(request("POST /", "ce-specversion: 9\r\n"));
  exchange(request("GET /__internal/health"));
  EXPECT_EQ(metrics_.report().front().counts.http_responses, (std::map<int, std::uint64_t>{{200, 1}, {400, 1}}));
}

class Ticks final : public http::BodySource {
 public:
  Task<Result<std::optional<std::string>>> next() override {
    if (left_ == 0) co_return std::nullopt;
    co_return "tick " + std::to_string(left_--);
  }

 private:
  int left_ = 2;
};

TEST_F(HttpTriggerTest, SendsAStreamInChunks) {
  handler_.answer = [](const Event&) -> Result<Response> {
    Response response;
    response.body = "first";
    response.more = std::make_unique<Ticks>();
    return response;
  };
  start();
  auto answer = exchange(request("GET /"));
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(answer, EndsWith("5\r\nfirst\r\n6\r\ntick 2\r\n6\r\ntick 1\r\n0\r\n\r\n"));
}

}  // namespace
}  // namespace nuclio::processor
