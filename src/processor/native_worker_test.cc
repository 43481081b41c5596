// SPDX-License-Identifier: Apache-2.0
// Runs runtimes/cpp/test/function.cc, whose one handler does what the event's path says.
#include "processor/native_worker.h"

#include <gtest/gtest.h>

#include <optional>

#include "loop/run.h"
#include "processor/test_owner.h"

namespace nuclio::processor {
namespace {

using namespace std::chrono_literals;

class NativeWorkerTest : public testing::Test {
 protected:
  NativeWorkerTest() { log::configure({.level = log::Level::error, .descriptor = -1}); }
  ~NativeWorkerTest() override { log::configure({}); }

  Result<std::unique_ptr<Worker>> start(const std::string& handler = "function:handler",
                                        const std::string& trigger = "web") {
    auto module = NativeModule::load(NUCLIO_TEST_FUNCTION);
    CHECK(module);
    auto worker = run_until_done(loop, NativeWorker::start(loop, *module, function_log, handler, "hello",
                                                           {WorkerIndex{2}, "http", trigger}, Deadline::in(10s)));
    if (worker) (*worker)->belongs_to(owner);
    return worker;
  }
  Result<Response> call(Worker& worker, std::string_view path, std::string_view body = "", Call call = {}) {
    event.id = "e1";
    event.path = path;
    event.body = body;
    return run_until_done(loop, ask(loop, worker, event, call));
  }
  // Waits until it can be called again.
  Task<bool> settled(Worker& worker) {
    return until(loop, [&] { return worker.room() == 1; });
  }
  Task<bool> wound_down(Worker& worker) {
    co_await worker.drain(Deadline::in(10s));
    co_await worker.terminate(Deadline::in(10s));
    co_return worker.usable();
  }

  Loop loop;
  FunctionLog function_log{"hello", log::Level::debug};
  TestOwner owner;
  Event event;
};

TEST_F(NativeWorkerTest, ShowsTheHandlerAllOfTheEvent) {
  auto worker = start();
  ASSERT_TRUE(worker) << worker.error().what;
  wire::Pair headers[] = {{"A", "1"}, {"B", ""}};
  wire::Pair fields[] = {{"q", "x y"}};
  event.method = "POST";
  event.url = "/p?q=x+y";
  event.content_type = "text/x";
  event.trigger_kind = "http";
  event.topic = "t";
  event.shard_id = 4;
  event.headers = headers;
  event.fields = fields;
  auto response = call(**worker, "/p", "the body", {.deadline = Deadline::in(10s)});
  ASSERT_TRUE(response);
  for (const char* line : {"id=e1\n", "method=POST\n", "path=/p\n", "url=/p?q=x+y\n", "content_type=text/x\n",
                           "trigger_kind=http\n", "topic=t\n", "shard_id=4\n", "limited=yes\n", "header A=1\n",
                           "header B=\n", "field q=x y\n", "body=the body\n"})
    EXPECT_NE(response->body.find(line), std::string::npos) << line << "is missing in\n" << response->body;
  EXPECT_GT(response->duration, 0ns);
  EXPECT_TRUE((*worker)->usable());
}

TEST_F(NativeWorkerTest, GivesHeadersAndStatus) {
  auto worker = start();
  auto response = call(**worker, "/headers");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->headers, (std::vector<std::pair<std::string, std::string>>{{"X-A", "1"}, {"X-B", "2"}}));
}

TEST_F(NativeWorkerTest, TellsAnExceptionApartFromAnAnswer) {
  auto worker = start();
  auto raised = call(**worker, "/raise");
  ASSERT_TRUE(raised && raised->failure);
  EXPECT_EQ(raised->status, 500);
  EXPECT_NE(raised->failure->message.find("impossible"), std::string::npos);
  auto chosen = call(**worker, "/teapot");
  ASSERT_TRUE(chosen && chosen->failure);
  EXPECT_EQ(chosen->status, 418);
  auto good = call(**worker, "/p");
  EXPECT_FALSE(good->failure);
}

TEST_F(NativeWorkerTest, ShipsTheLinesOfTheCall) {
  auto worker = start();
  auto response = call(**worker, "/log", "", {.ship_logs = log::Level::info});
  ASSERT_TRUE(response);
  ASSERT_EQ(response->logs.size(), 1u);
  EXPECT_EQ(response->logs[0].message, "a line");
  EXPECT_EQ(response->logs[0].variables, "{\"n\": 1}");
  EXPECT_TRUE(call(**worker, "/log")->logs.empty());
}

TEST_F(NativeWorkerTest, StreamsAnAnswer) {
  auto worker = start();
  auto response = call(**worker, "/stream");
  ASSERT_TRUE(response && response->more);
  EXPECT_EQ(response->status, 206);
  std::string whole = response->body;
  for (;;) {
    auto piece = run_until_done(loop, response->more->next());
    ASSERT_TRUE(piece);
    if (!*piece) break;
    whole += **piece;
  }
  EXPECT_EQ(whole, "one two three");
  response->more.reset();
  EXPECT_TRUE(run_until_done(loop, settled(**worker)));
}

TEST_F(NativeWorkerTest, BreaksAStreamWhoseHandlerFails) {
  auto worker = start();
  auto response = call(**worker, "/broken-stream");
  ASSERT_TRUE(response && response->more);
  EXPECT_EQ(**run_until_done(loop, response->more->next()), "two ");
  auto piece = run_until_done(loop, response->more->next());
  ASSERT_FALSE(piece);
  EXPECT_NE(piece.error().what.find("lost the source"), std::string::npos);
  response->more.reset();
  EXPECT_TRUE(run_until_done(loop, settled(**worker)));
}

TEST_F(NativeWorkerTest, EndsAStreamThatNobodyReads) {
  auto worker = start();
  auto response = call(**worker, "/endless");
  ASSERT_TRUE(response && response->more);
  EXPECT_EQ(**run_until_done(loop, response->more->next()), "more");
  EXPECT_EQ((*worker)->room(), 0);
  response->more.reset();
  EXPECT_TRUE(run_until_done(loop, settled(**worker)));
}

TEST_F(NativeWorkerTest, TimesOutWhenItsHandlerCameBackTooLate) {
  auto worker = start();
  auto response = call(**worker, "/until-gone", "", {.deadline = Deadline::in(5ms)});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, Why::timeout);
  EXPECT_TRUE((*worker)->usable());
}

TEST_F(NativeWorkerTest, AnswersABatchEventByEvent) {
  auto worker = start();
  std::vector<Event> events(3);
  events[0].id = "a";
  events[1].id = "b";
  events[1].path = "/stream";
  events[2].id = "c";
  auto responses = run_until_done(loop, ask_batch(loop, **worker, events));
  ASSERT_TRUE(responses);
  ASSERT_EQ(responses->size(), 3u);
  EXPECT_EQ((*responses)[0]->event_id, "a");
  EXPECT_EQ((*responses)[1].error().what, "an answer to an event of a batch cannot be streamed");
  EXPECT_EQ((*responses)[2]->event_id, "c");
}

TEST_F(NativeWorkerTest, IsOfNoUseAfterItsEnd) {
  auto worker = start();
  EXPECT_FALSE(run_until_done(loop, wound_down(**worker)));
}

TEST_F(NativeWorkerTest, GivesTheFunctionsOwnWordsWhenItDoesNotOpen) {
  auto missing = start("function:nothing");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().what.find("nothing"), std::string::npos) << missing.error().what;
  auto broken = start("function:handler", "broken");
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().what.find("the trigger is broken"), std::string::npos) << broken.error().what;
}

TEST(NativeModule, SaysWhatIsWrongWithAnObject) {
  auto missing = NativeModule::load("/no/such/handler.so");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().what.find("/no/such/handler.so"), std::string::npos);
  auto other = NativeModule::load(NUCLIO_TEST_OTHER_VERSION);
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().what.find("deploy the function again"), std::string::npos) << other.error().what;
}

}  // namespace
}  // namespace nuclio::processor
